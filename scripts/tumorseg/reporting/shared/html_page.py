"""Render a self-contained HTML page from a template."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tumorseg.formatting import format_count, format_decimal

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
    environment.filters |= {"number": number, "counted": format_count, "decimal": format_decimal}
    shared, script = ((_HERE / name).read_text(encoding="utf-8") for name in ("style.css", "table.js"))
    return environment.get_template("template.html").render(style=shared + style, table_script=script, **context)
