"""From the images of a scanner to brain-extracted images on the grid of an atlas, and masks back to the patient."""
