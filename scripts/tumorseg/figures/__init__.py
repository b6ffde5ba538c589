"""Pictures of cases, predictions, training and scores."""
