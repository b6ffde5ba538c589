"""Preprocessing: from raw volumes to the input of the network, and back to the original grid."""
