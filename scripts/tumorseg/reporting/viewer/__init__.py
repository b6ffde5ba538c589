"""The interactive viewer of the report: NiiVue with its licence, and the volumes that it shows."""
