"""Update the generated parts of workflow/docs (`make docs`). Run it in the repository's root."""

from pathlib import Path

from tumorseg.documentation.pages import current_pages
from tumorseg.io.files import write_text


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
