"""What the pages that a user opens have in common: their frame, their look, their words."""
