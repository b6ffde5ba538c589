"""The interactive viewer of a few cases in the report: NiiVue, its licence beside it, and the volumes that it shows."""
