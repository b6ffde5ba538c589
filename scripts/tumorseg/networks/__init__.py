"""Networks: 3D U-Nets, their description, devices and memory, and trained models on disk."""
