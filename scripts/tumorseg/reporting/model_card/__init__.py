"""The model card of the models of a run."""
