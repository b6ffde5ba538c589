"""JSON in the script elements of a page."""

import json
from typing import Any


def script_safe_json(content: Any) -> str:
    """Return JSON in which an HTML parser finds neither the end of the script element nor a comment."""
    return json.dumps(content, sort_keys=True).replace("<", "\\u003c")
