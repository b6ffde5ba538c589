"""`make docs`: write what derives from code into the pages of workflow/docs. Run in the repository's root."""

from pathlib import Path

from tumorseg.documentation.pages import current_pages
from tumorseg.files import write_text

for _path, _text in current_pages(Path()).items():
    if _path.read_text(encoding="utf-8") != _text:
        write_text(_path, _text)
