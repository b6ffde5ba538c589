"""Codes of the problems and warnings of the preparation of new patients."""

from typing import Final

PREPARATION_PROBLEMS: Final[dict[str, str]] = {}
"""Description of each problem code; a problem stops its patient."""
PREPARATION_WARNINGS: Final[dict[str, str]] = {}
"""Description of each warning code; a warning does not stop its patient."""
