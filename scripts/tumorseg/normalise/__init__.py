"""From raw volumes to what the network sees, and back."""
