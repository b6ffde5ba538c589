"""Embed the interactive viewer in a page: markup, style and scripts. NiiVue and the volumes are embedded or linked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tumorseg.io.files import read_json
from tumorseg.plotting.agreement_map import OUTCOMES, task_outcomes
from tumorseg.plotting.slices import PLANES
from tumorseg.plotting.viewer_volumes import MARKED
from tumorseg.reporting.shared.script_json import script_safe_json
from tumorseg.task import Task

_HERE: Final = Path(__file__).parent
_SHARED: Final = _HERE.parent / "shared"
NIIVUE_VERSION: Final = "0.69.0"
"""Version of the npm package @niivue/niivue; its file dist/niivue.umd.js is in this folder, unchanged."""
NIIVUE_SHA256: Final = "47b896b77ec4a5be3ef1949c33ad393b6f45629921f326c279000bcf51bdb4af"
_VIEWS: Final = {
    "planes": "Three planes",
    "axial": "Axial",
    "coronal": "Coronal",
    "sagittal": "Sagittal",
    "3d": "3D",
    "surfaces": "3D surfaces",
}
_COARSE: Final = "grey values have few levels, and volumes are subsampled if they are large or many."
_OUTER_OPACITY: Final = 0.35
"""Opacity of the surfaces of labels around others."""


@dataclass(frozen=True)
class EmbeddedViewer:
    """Parts of a page that a template includes without escaping (`|safe`).

    Attributes:
        markup: the viewer; the page has a heading with the id `viewer` above it.
        style: CSS.
        scripts: `<script>` elements for the end of the body.
        cases: the cases in the viewer; a link `<a href="#viewer" data-viewer-case="CASE">` opens one of them.
    """

    markup: str
    style: str
    scripts: str
    cases: tuple[str, ...]


@dataclass(frozen=True)
class ViewerCase:
    """A case that can be selected in the viewer.

    Attributes:
        name: name of the case.
        title: text in the list of cases.
        text: text below the picture.
        script: address of the script with its volumes, see `viewer_volumes.write_viewer_script`; empty if the page
            contains them.
    """

    name: str
    title: str
    text: str
    script: str = ""


def embed_viewer(path: Path, colours: Mapping[int, str], opacity: float, task: Task) -> EmbeddedViewer:
    """Return the viewer of some cases with references, which needs no other file; equal arguments give equal text.

    Args:
        path: the file of cases that the rule viewer_cases writes.
        colours: colour of each label, such as `#D55E00`.
        opacity: initial opacity of filled labels, 0 to 1.
        task: defines the channels, labels and regions.

    Raises:
        UserError: the file is missing or corrupted.
    """
    contents = read_json(path)["cases"]
    return _viewer(
        [ViewerCase(content["case"], content["title"], _dice_text(content["dice"], task)) for content in contents],
        colours,
        task,
        contents=contents,
        comparing=True,
        opacity=round(100 * opacity),
        pictures=[{"id": "viewer-image", "label": "Image", "selected": task.channel_names[task.display_channel]}],
        views=_VIEWS,
        fallback="The figures also show slices of held-out cases.",
        made=f"To keep this page small, {_COARSE} Scores and figures were computed from the original volumes.",
    )


def embed_mask_viewer(
    contents: Sequence[Mapping[str, Any]], texts: Sequence[str], colours: Mapping[int, str], task: Task
) -> EmbeddedViewer:
    """Return the viewer of pairs of masks without images, which needs no other file.

    Args:
        contents: each pair, see `viewer_volumes.encode_masks`.
        texts: the text below the picture of each pair.
        colours: colour of each label, such as `#D55E00`.
        task: defines the labels and regions.
    """
    return _viewer(
        [ViewerCase(content["case"], content["title"], text) for content, text in zip(contents, texts, strict=True)],
        colours,
        task,
        contents=contents,
        comparing=True,
        images={MARKED: "Share of the masks with a label"},
        opacity=40,
        pictures=[{"id": "viewer-image", "label": "Image", "selected": MARKED}],
        views=_VIEWS,
        fallback="The pictures above show a slice of each case.",
        made="The volumes are cut to the surroundings of the masks. The grey values are the share of all masks, with "
        "the reference, that have a label there.",
    )


def link_viewer(
    cases: Sequence[ViewerCase], colours: Mapping[int, str], task: Task, *, niivue: str, fallback: str
) -> EmbeddedViewer:
    """Return the viewer of any number of cases without references, whose volumes are in files beside the page.

    It shows the main channels of the task side by side, with the outline of the mask over each.

    Args:
        cases: the cases, each with its script.
        colours: colour of each label, such as `#D55E00`.
        task: defines the channels, labels and regions.
        niivue: address of the script that `niivue_script` returns.
        fallback: sentence about what a browser without WebGL shows instead.
    """
    shown = [task.channel_names[channel] for channel in task.main_channels]
    labels = ["Image"] if len(shown) == 1 else ["Left image", "Right image"]
    return _viewer(
        cases,
        colours,
        task,
        niivue=niivue,
        opacity=0,
        pictures=[
            {"id": f"viewer-image-{number}", "label": label, "selected": name}
            for number, (label, name) in enumerate(zip(labels, shown[-len(labels) :], strict=True), start=1)
        ],
        views={"axial": _VIEWS["axial"], **_VIEWS},
        fallback=fallback,
        made=f"To keep the files small, {_COARSE} Masks and volumes were computed from the original images.",
    )


def niivue_script() -> str:
    """Return NiiVue as a script for a file of its own, with its licence."""
    return f"/*\n{_read_asset('NIIVUE-LICENSE.txt')}*/\n{_read_asset('niivue.umd.js')}"


def _viewer(
    cases: Sequence[ViewerCase],
    colours: Mapping[int, str],
    task: Task,
    *,
    contents: Sequence[Mapping[str, Any]] = (),
    pictures: Sequence[Mapping[str, str]],
    niivue: str = "",
    comparing: bool = False,
    images: Mapping[str, str] | None = None,
    **variables: Any,
) -> EmbeddedViewer:
    """Return a viewer.

    Args:
        cases: the cases.
        colours: colour of each label.
        task: defines the channels, labels and regions.
        contents: the volumes of each case, to be embedded; empty if they have scripts.
        pictures: id and label of the choice of the image in each picture, and the image selected at first.
        niivue: address of NiiVue; empty if it is to be embedded.
        comparing: whether the cases have references.
        images: title of each image by name; None for the channels of the task.
        **variables: further variables of the template.
    """
    images = task.channel_titles if images is None else images
    masks = {"reference": "Reference", "prediction": "Prediction"} if comparing else {"prediction": "Mask"}
    outcomes = {outcome.code: outcome.colour for outcome in OUTCOMES}
    environment = Environment(
        loader=FileSystemLoader([_HERE, _SHARED]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    markup = environment.get_template("viewer.html").render(
        cases=cases,
        images=images,
        planes=PLANES,
        colours=colours,
        label_names=task.label_titles,
        outcomes=task_outcomes(task),
        others=len(images) - len(pictures),
        masks=masks,
        pictures=pictures,
        niivue=NIIVUE_VERSION,
        comparing=comparing,
        **variables,
    )
    names = tuple(case.name for case in cases)
    settings = {
        "cases": names,
        "colours": [colours.get(label, "#000000") for label in range(task.classes)],
        "labels": [task.label_titles.get(label, "") for label in range(task.classes)],
        "opacities": _surface_opacities(task),
        "outcomes": [outcomes.get(code, "#000000") for code in range(max(outcomes) + 1)],
        "niivue": niivue,
    }
    scripts = environment.get_template("scripts.html").render(
        licence="" if niivue else _read_asset("NIIVUE-LICENSE.txt"),
        niivue="" if niivue else _read_asset("niivue.umd.js"),
        settings=script_safe_json(settings),
        cases=[script_safe_json(content) for content in contents],
        viewer=_read_asset("surfaces.js") + _read_asset("viewer.js"),
    )
    return EmbeddedViewer(markup, _read_asset("viewer.css"), scripts, names)


def _read_asset(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


def _surface_opacities(task: Task) -> list[float]:
    """Return the opacity of each label's surface: labels in the fewest regions lie around the others."""
    regions = {label: sum(label in region.labels for region in task.regions) for label in task.label_values}
    fewest = min(regions.values())
    outer = {label for label, count in regions.items() if count == fewest}
    translucent = outer if len(outer) < len(regions) else set()
    return [_OUTER_OPACITY if label in translucent else 1.0 for label in range(task.classes)]


def _dice_text(dice: Mapping[str, float], task: Task) -> str:
    """Return a line such as `Dice: WT 0.924, …`."""
    return "Dice: " + ", ".join(f"{structure.replace('_', ' ')} {dice[structure]:.3f}" for structure in task.structures)
