"""Render a self-contained HTML page from a template."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tumorseg.formatting import format_count, format_decimal
from tumorseg.reporting.shared.page_links import PageLink

_HERE: Final = Path(__file__).parent
_SCRIPTS: Final = ("table.js", "columns.js", "contents.js", "enlarge.js")


def render_page(
    folder: Path,
    number: Callable[[Any], str],
    *,
    style: str = "",
    template: str = "template.html",
    pages: Sequence[PageLink] = (),
    **context: Any,
) -> str:
    """Return the page of a template, which extends `base.html`. Equal arguments give equal text.

    Args:
        folder: the folder of the template.
        number: the filter `number`, which formats a number.
        style: CSS of the page, added to the CSS of all pages.
        template: name of the template in its folder.
        pages: links to other pages of the run.
        **context: variables of the template. `base.html` needs `subject`, the name of the page, and `sections`, the
            headings by id.
    """
    environment = Environment(
        loader=FileSystemLoader([folder, _HERE]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": number, "counted": format_count, "decimal": format_decimal}
    shared, *scripts = ((_HERE / name).read_text(encoding="utf-8") for name in ("style.css", *_SCRIPTS))
    return environment.get_template(template).render(
        style=shared + style, scripts="".join(scripts), pages=pages, **context
    )
