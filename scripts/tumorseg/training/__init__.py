"""Training the network, one checkpoint at a time, and verifying what was saved."""
