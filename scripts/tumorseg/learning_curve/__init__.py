"""The learning curve: scores by the number of training cases, with and without a model to start from."""
