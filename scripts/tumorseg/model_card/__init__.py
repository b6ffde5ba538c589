"""What goes with the models of a run when they are handed on."""
