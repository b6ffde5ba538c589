"""Text in Markdown."""


def cell(value: object) -> str:
    """Return a value as text for a cell of a table: on one line, with each `|` escaped, which would end the cell."""
    return " ".join(str(value).split()).replace("|", "\\|")
