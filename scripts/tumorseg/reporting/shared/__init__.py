"""What all HTML pages share: the base template, macros, style and the script of sortable tables."""
