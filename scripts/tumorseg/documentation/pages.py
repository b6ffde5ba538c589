"""Update the generated parts of workflow/docs (`make docs`). Run this module in the repository's root."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from tumorseg.documentation.api import api_tables
from tumorseg.documentation.configuration_page import PAGE, reference_page
from tumorseg.documentation.generated_tables import TABLES
from tumorseg.io.files import write_text

FOLDER: Final = Path("workflow/docs")
"""Relative to the repository's root."""
_PARTS: Final[Mapping[str, Callable[[], str]]] = {**TABLES, "api": api_tables}
_GENERATED: Final = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def current_pages(root: Path) -> dict[Path, str]:
    """Return the current text of each page with generated parts.

    Args:
        root: the root of the repository.

    Returns:
        Text by path.

    Raises:
        KeyError: a page has an unknown part.
    """
    pages = {path: path.read_text(encoding="utf-8") for path in sorted((root / FOLDER).glob("*.md"))}
    filled = {path: fill(text) for path, text in pages.items() if "<!-- generated: " in text}
    return {**filled, root / PAGE: reference_page(root)}


def fill(text: str) -> str:
    """Return a page with new content between each `<!-- generated: NAME -->` and `<!-- end -->`."""
    return _GENERATED.sub(lambda found: f"{found[1]}\n{_PARTS[found[2]]().strip()}\n\n{found[3]}", text)


def main(root: Path) -> None:
    """Write the pages that are not current.

    Args:
        root: the root of the repository.
    """
    for path, text in current_pages(root).items():
        if path.read_text(encoding="utf-8") != text:
            write_text(path, text)


if __name__ == "__main__":
    main(Path())
