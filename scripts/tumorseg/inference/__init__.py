"""Inference: from a trained model to masks on the original grid."""
