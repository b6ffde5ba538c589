"""The page of `score`: means, ranking, differences between folders, all cases, and the largest disagreements."""
