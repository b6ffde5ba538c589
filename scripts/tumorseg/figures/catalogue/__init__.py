"""The figures: in each module a record, and the function that draws it, which imports what planning does not need."""
