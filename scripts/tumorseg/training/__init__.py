"""Training of the network, one checkpoint at a time, and verification of the checkpoints."""
