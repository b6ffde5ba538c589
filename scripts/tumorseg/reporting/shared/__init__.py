"""Parts of all HTML pages: the base template, macros, the style sheet, and the script of sortable tables."""
