"""Read the configuration, and validate it before anything is planned."""
