"""Networks: 3D U-Nets, the devices and memory they need, and model files."""
