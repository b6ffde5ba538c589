"""The figures. Each module has one record and the function that draws it. What only drawing needs is imported inside that function."""
