"""A page as one HTML file that needs nothing beside it: a template in the frame and the style that all pages share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tumorseg.pages.words import counted, decimal

_HERE: Final = Path(__file__).parent


def render_page(folder: Path, number: Callable[[Any], str], *, style: str = "", **context: Any) -> str:
    """The page of `template.html` in `folder`, which extends `base.html`; equal arguments give equal text.

    number: how the filter of this name writes a number. style: CSS after that which all pages have. context: what the
    template is about; `base.html` needs `subject`, what the page is called, and `sections`, each heading by its id.
    """
    environment = Environment(
        loader=FileSystemLoader([folder, _HERE]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": number, "counted": counted, "decimal": decimal}
    shared, script = ((_HERE / name).read_text(encoding="utf-8") for name in ("style.css", "table.js"))
    return environment.get_template("template.html").render(style=shared + style, table_script=script, **context)
