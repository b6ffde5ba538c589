"""Links between the pages of a run: report, cohort page and page of scores."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from posixpath import dirname, relpath
from typing import Final

_PAGES: Final = {
    "report": ("Report", "report.html"),
    "cohort": ("Cohort page", "cohort/cohort.html"),
    "scores": ("Page of scores", "scores/scores.html"),
}
"""Title of each page, and its path below the folder of results."""


@dataclass(frozen=True)
class PageLink:
    """A link to another page of the run.

    Attributes:
        name: name of the other page.
        title: text of the link.
        address: its address, relative to the page with the link. It ends with the name of this page, so that the other
            page can link back.
        exists: whether the other page is known to exist. If not, the link is shown only to readers who come from it.
    """

    name: str
    title: str
    address: str
    exists: bool


def page_links(page: str, existing: Collection[str] = ()) -> tuple[PageLink, ...]:
    """Return the links from a page to the others.

    Args:
        page: `report`, `cohort` or `scores`.
        existing: names of the pages that are known to exist.
    """
    folder = dirname(_PAGES[page][1]) or "."
    return tuple(
        PageLink(name, title, f"{relpath(path, folder)}?from={page}", name in existing)
        for name, (title, path) in _PAGES.items()
        if name != page
    )


def existing_pages(results: Path) -> tuple[str, ...]:
    """Return the names of the pages in a folder of results."""
    return tuple(name for name, (_, path) in _PAGES.items() if (results / path).is_file())
