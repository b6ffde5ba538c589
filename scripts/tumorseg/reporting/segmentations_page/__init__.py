"""The page of all new patients, and a page for each of them."""
