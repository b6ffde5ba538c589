"""Embed the interactive viewer in a page: markup, style and scripts, with NiiVue and the volumes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tumorseg.io.files import read_json
from tumorseg.plotting.slices import PLANES
from tumorseg.task import Task

_HERE: Final = Path(__file__).parent
_SHARED: Final = _HERE.parent / "shared"
NIIVUE_VERSION: Final = "0.69.0"
"""Version of the npm package @niivue/niivue; its file dist/niivue.umd.js is in this folder, unchanged."""
NIIVUE_SHA256: Final = "47b896b77ec4a5be3ef1949c33ad393b6f45629921f326c279000bcf51bdb4af"


@dataclass(frozen=True)
class EmbeddedViewer:
    """Parts of a page that a template includes without escaping (`|safe`).

    Attributes:
        markup: a heading with the id `viewer`, and the viewer.
        style: CSS.
        scripts: `<script>` elements for the end of the body.
        cases: the cases in the viewer; a link `<a href="#viewer" data-viewer-case="CASE">` opens one of them.
    """

    markup: str
    style: str
    scripts: str
    cases: tuple[str, ...]


def embed_viewer(path: Path, colours: Mapping[int, str], opacity: float, task: Task) -> EmbeddedViewer:
    """Return the viewer of some cases; equal arguments give equal text.

    Args:
        path: the file of cases that the rule viewer_cases writes.
        colours: colour of each label, such as `#D55E00`.
        opacity: initial opacity of filled labels, 0 to 1.
        task: defines the channels, labels and regions.

    Raises:
        UserError: the file is missing or corrupted.
    """
    cases = read_json(path)["cases"]
    environment = Environment(
        loader=FileSystemLoader([_HERE, _SHARED]),
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
        licence=_read_asset("NIIVUE-LICENSE.txt"),
        niivue=_read_asset("niivue.umd.js"),
        settings=_script_safe_json(settings),
        cases=[_script_safe_json(case | {"dice_text": _dice_text(case["dice"], task)}) for case in cases],
        viewer=_read_asset("viewer.js"),
    )
    return EmbeddedViewer(markup, _read_asset("viewer.css"), scripts, tuple(settings["cases"]))


def _read_asset(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


def _script_safe_json(content: Any) -> str:
    """Return JSON in which an HTML parser finds neither the end of the script element nor a comment."""
    return json.dumps(content, sort_keys=True).replace("<", "\\u003c")


def _dice_text(dice: Mapping[str, float], task: Task) -> str:
    """Return a line such as `Dice: WT 0.924, …`."""
    return "Dice: " + ", ".join(f"{structure.replace('_', ' ')} {dice[structure]:.3f}" for structure in task.structures)
