"""The style of all figures: settings, fonts, label colours, legends, and saving."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from io import BytesIO
from math import ceil
from pathlib import Path
from typing import Any, Final

from matplotlib import style
from matplotlib.artist import Artist
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from tumorseg.io.files import write_bytes
from tumorseg.plotting.agreement_map import task_outcomes
from tumorseg.task import Task

FIGURE_WIDTH_INCHES: Final = 10.0
"""Width of every figure."""
LEGEND_LINE_INCHES: Final = 0.3
"""Height of one legend line at the bottom of a figure."""
TEXT_COLOUR: Final = "#222222"
"""Colour of text and axes."""
WARNING_COLOUR: Final = "#9b1c1c"
"""Colour of warnings: dark enough for text on white and for a band under white text."""
_TISSUE_GREY: Final = 0.3
_CHARACTER_INCHES: Final = 0.075
_LEGEND_ENTRY_INCHES: Final = 0.6
"""Width of a character, and of a legend entry without its text."""
_RC: Final[dict[str, Any]] = {
    "font.family": "DejaVu Sans",  # ships with matplotlib, so that figures look the same on every machine
    "font.size": 9.0,
    "axes.titlesize": 10.0,
    "axes.labelsize": 9.0,
    "axes.edgecolor": TEXT_COLOUR,
    "axes.labelcolor": TEXT_COLOUR,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": "#d9d9d9",
    "grid.linewidth": 0.6,
    "hatch.linewidth": 0.8,
    "legend.frameon": False,
    "text.color": TEXT_COLOUR,
    "xtick.color": TEXT_COLOUR,
    "ytick.color": TEXT_COLOUR,
    "figure.constrained_layout.h_pad": 0.1,
    "figure.constrained_layout.w_pad": 0.1,
    "figure.facecolor": "white",
    "pdf.fonttype": 42,  # TrueType, which editors of vector graphics can edit
}
_NO_METADATA: Final[dict[str, dict[str, Any]]] = {
    "png": {"Software": None},
    "pdf": {"Creator": None, "Producer": None, "CreationDate": None},
}


@dataclass(frozen=True)
class FigureSettings:
    """The `figures` section of the configuration.

    Attributes:
        cases: number of cases in the figures.
        dpi: pixels per inch.
        opacity: opacity of labels over the image in the viewer, 0 to 1.
        colours: colour of each label, by its value.
    """

    cases: int
    dpi: int
    opacity: float
    colours: dict[int, str]

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "FigureSettings":
        """Return the settings from the section as JSON, in which colours have the keys `label_1` and so on."""
        return cls(content["cases"], content["dpi"], content["opacity"], label_colours(content))


def label_colours(content: Mapping[str, Any]) -> dict[int, str]:
    """Return the colours of the labels, by value, from the section `figures` of the completed configuration."""
    colours = {int(name.removeprefix("label_")): colour for name, colour in content["colours"].items()}
    return dict(sorted(colours.items()))


def region_colours(colours: Mapping[int, str], task: Task) -> dict[str, str]:
    """Return the colour of each region: that of its first label that is in no smaller region inside it.

    For WT, TC and ET these are the colours of oedema, necrosis and enhancing tumour.

    Args:
        colours: colour of each label, by its value.
        task: defines the regions.
    """
    labels_of = {name: set(labels) for name, labels in task.region_labels.items()}
    own_labels = {
        name: labels.difference(*(inner for inner in labels_of.values() if inner < labels))
        for name, labels in labels_of.items()
    }
    return {name: colours[min(own or labels_of[name])] for name, own in own_labels.items()}


def figure_style() -> AbstractContextManager[None]:
    """Return a context in which matplotlib uses the style of all figures and ignores the user's own settings."""
    return style.context(_RC, after_reset=True)


def blend_over_tissue(colour: str, opacity: float) -> tuple[float, float, float]:
    """Return the colour that results from painting `colour` over the dark grey of most brain tissue, for legends."""
    red, green, blue = (opacity * channel + (1 - opacity) * _TISSUE_GREY for channel in to_rgb(colour))
    return red, green, blue


def label_handles(colours: Mapping[int, str], task: Task) -> list[Artist]:
    """Return legend entries of the labels.

    Args:
        colours: colour of each label, by its value.
        task: defines the titles of the labels.
    """
    return [
        Patch(facecolor="black", edgecolor=colours[label], linewidth=1.6, label=f"{label}: {title}")
        for label, title in task.label_titles.items()
    ]


def outcome_handles(task: Task) -> list[Artist]:
    """Return legend entries of the outcomes of a comparison, coloured and hatched as they appear over the image."""
    return [
        Patch(
            facecolor=blend_over_tissue(outcome.colour, outcome.opacity),
            edgecolor=TEXT_COLOUR,  # white would be invisible on paper
            hatchcolor=outcome.colour,
            hatch=outcome.hatch,
            label=outcome.name,
        )
        for outcome in task_outcomes(task)
    ]


def add_legend(figure: Figure, handles: Sequence[Artist], *, line: int = 0) -> None:
    """Add a legend at the bottom of a figure.

    Args:
        figure: the figure.
        handles: entries of the legend.
        line: number of its lowest line, counted upwards from 0.
    """
    height = (LEGEND_LINE_INCHES * line + 0.05) / figure.get_figheight()
    columns = ceil(len(handles) / legend_lines(handles))
    figure.legend(handles=handles, loc="lower center", bbox_to_anchor=(0.5, height), ncols=columns, borderpad=0.2)


def legend_lines(handles: Sequence[Artist]) -> int:
    """Return the number of lines that a legend at the bottom of a figure needs."""
    widths = [_LEGEND_ENTRY_INCHES + _CHARACTER_INCHES * len(str(handle.get_label())) for handle in handles]
    for lines in range(1, len(handles)):
        columns = [max(widths[first : first + lines]) for first in range(0, len(widths), lines)]
        if sum(columns) <= FIGURE_WIDTH_INCHES:
            return lines
    return max(1, len(handles))


def save_figure(figure: Figure, paths: Sequence[Path], dpi: int) -> None:
    """Write a figure atomically to each path, as PNG or PDF by suffix.

    Neither a date nor software versions are written: equal figures give equal bytes. In a PDF, lines and text stay
    vectors, and the text can be edited.

    Args:
        figure: the figure.
        paths: files to write, ending with `.png` or `.pdf`.
        dpi: pixels per inch of a PNG, and of images in a PDF.
    """
    for path in paths:
        format_ = path.suffix.removeprefix(".")
        content = BytesIO()  # not the file: on a full disk, matplotlib's PDF writer fails on its own partial file
        with figure_style():
            figure.savefig(content, format=format_, dpi=dpi, metadata=_NO_METADATA[format_])
        write_bytes(path, content.getvalue())
