"""Read the pages of the documentation: their blocks of code, commands, links and headings.

The tests do not run a block of commands below the comment `<!-- not run: REASON -->`. They make a dry run of a block
below `<!-- planned: REASON -->`. A block below `<!-- file: NAME -->` is the content of a file, which the tests write
before they run the page's commands.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.builders import REPOSITORY

DOCS = REPOSITORY / "workflow/docs"
PAGES = tuple(
    str(path.relative_to(REPOSITORY))
    for path in (
        *(REPOSITORY / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
        *sorted(DOCS.glob("*.md")),
    )
)
MARKS = ("not run", "planned", "file")
_BLOCK = re.compile(
    r"(?:^ *<!-- (?P<mark>[\w ]+): (?P<value>[^\n]+?) -->\n)?^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^ *```$",
    re.MULTILINE | re.DOTALL,
)
_CELL = re.compile(r"\| `(snakemake [^`]+)` \|")
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)", re.DOTALL)
_HEADING = re.compile(r"^#{1,6} +(.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A block of code. `mark` and `value` are from the comment above it; empty if there is none."""

    language: str
    text: str
    mark: str
    value: str


def text_of(page: str) -> str:
    return (REPOSITORY / page).read_text(encoding="utf-8")


def blocks(page: str, language: str = "") -> list[Block]:
    """Return the blocks of code of a page, or only those in one language."""
    found = [
        Block(
            part["language"],
            re.sub(rf"^{part['indent']}", "", part["text"], flags=re.MULTILINE),
            part["mark"] or "",
            part["value"] or "",
        )
        for part in _BLOCK.finditer(text_of(page))
    ]
    return [block for block in found if language in ("", block.language)]


def example(page: str, language: str) -> str:
    """Return the only block of a page in a language."""
    (block,) = blocks(page, language)
    return block.text


def library_example() -> tuple[str, list[str]]:
    """Return the example of the page about the library, and the lines that it should print."""
    code = next(block.text for block in blocks("workflow/docs/api.md", "python"))
    expected = re.findall(r"^print\(.*\)  # (.*)$", code, re.MULTILINE)
    assert expected
    return code, expected


def commands(page: str) -> Iterator[str]:
    """Yield the commands of a page that the tests run, in order, as dry runs if the page asks for it."""
    for block in [*blocks(page, "sh"), *(Block("sh", cell, "", "") for cell in _CELL.findall(text_of(page)))]:
        if block.mark != "not run":
            for line in block.text.splitlines():
                command = line.split("  #")[0].strip()
                yield command.replace("snakemake ", "snakemake --dry-run ", 1) if block.mark == "planned" else command


def files(page: str) -> dict[str, str]:
    """Return the content of each file that a page shows, by name."""
    return {block.value: block.text for block in blocks(page) if block.mark == "file"}


def prose(page: str) -> str:
    """Return a page without its blocks of code."""
    return _BLOCK.sub("", text_of(page))


def links(page: str) -> list[str]:
    """Return the targets of a page's links and pictures."""
    return _LINK.findall(prose(page))


def anchors(path: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = _HEADING.findall(prose(str(path.relative_to(REPOSITORY))))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
