"""What a page needs to show the viewer: its markup, its style, and its scripts with NiiVue and the volumes in them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tumorseg.figures.slices import PLANES
from tumorseg.files import read_json
from tumorseg.task import Task

_HERE: Final = Path(__file__).parent
_PAGES: Final = _HERE.parent / "pages"
NIIVUE_VERSION: Final = "0.69.0"
"""Of the npm package @niivue/niivue, whose dist/niivue.umd.js lies here unchanged."""
NIIVUE_SHA256: Final = "47b896b77ec4a5be3ef1949c33ad393b6f45629921f326c279000bcf51bdb4af"


@dataclass(frozen=True)
class ViewerParts:
    """Parts of a page, for a template to include as they are (`|safe`).

    markup: a heading with the id `viewer`, and the viewer. style: CSS. scripts: `<script>` elements for the end of the
    body. cases: those that it shows; a link `<a href="#viewer" data-viewer-case="CASE">` leads to one of them.
    """

    markup: str
    style: str
    scripts: str
    cases: tuple[str, ...]


def viewer_parts(path: Path, colours: Mapping[int, str], opacity: float, task: Task) -> ViewerParts:
    """The viewer of the cases in `path`, a file of the rule viewer_cases; equal arguments give equal text.

    colours: of each label, such as `#D55E00`. opacity: of their fillings at first, 0 to 1. Raises UserError where the
    file is missing or damaged.
    """
    cases = read_json(path)["cases"]
    environment = Environment(
        loader=FileSystemLoader([_HERE, _PAGES]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    markup = environment.get_template("viewer.html").render(
        cases=cases,
        modalities=task.channel_titles,
        first_image=task.channel_names[task.display_channel],
        planes=PLANES,
        opacity=round(100 * opacity),
        colours=colours,
        label_names=task.label_titles,
        niivue=NIIVUE_VERSION,
    )
    settings = {
        "cases": [case["case"] for case in cases],
        "colours": [colours.get(label, "#000000") for label in range(task.classes)],
        "labels": [task.label_titles.get(label, "") for label in range(task.classes)],
    }
    scripts = environment.get_template("scripts.html").render(
        licence=_text("NIIVUE-LICENSE.txt"),
        niivue=_text("niivue.umd.js"),
        settings=_in_script(settings),
        cases=[_in_script(case | {"dice_words": _dice(case["dice"], task)}) for case in cases],
        viewer=_text("viewer.js"),
    )
    return ViewerParts(markup, _text("viewer.css"), scripts, tuple(settings["cases"]))


def _text(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


def _in_script(content: Any) -> str:
    """JSON that no HTML parser takes for the end of its script element, or for the start of a comment."""
    return json.dumps(content, sort_keys=True).replace("<", "\\u003c")


def _dice(dice: Mapping[str, float], task: Task) -> str:
    """`Dice: WT 0.924, …`."""
    return "Dice: " + ", ".join(f"{structure.replace('_', ' ')} {dice[structure]:.3f}" for structure in task.structures)
