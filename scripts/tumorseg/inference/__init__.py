"""From a trained model to masks on the original grid."""
