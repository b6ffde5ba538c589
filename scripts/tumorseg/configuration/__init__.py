"""The configuration: read as the schema asks for it, and checked before anything is planned."""
