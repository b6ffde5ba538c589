"""The style that all figures share: settings, fonts, label colours, legends, and how a figure is saved."""

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
"""Width of every figure in inches."""
LEGEND_LINE_INCHES: Final = 0.3
"""Height in inches that is kept for one line of legend at the foot of a figure."""
TEXT_COLOUR: Final = "#222222"
"""Colour of text and axes."""
WARNING_COLOUR: Final = "#9b1c1c"
"""Colour of warnings, dark enough to be read on white and under white text."""
_TISSUE_GREY: Final = 0.3
_CHARACTER_INCHES: Final = 0.075
_LEGEND_ENTRY_INCHES: Final = 0.6
"""Inches that a legend needs for a character, and for an entry besides its text."""
_RC: Final[dict[str, Any]] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same letters on every machine
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

    cases: how many cases are shown. dpi: pixels per inch. opacity: of a label over the image, 0 to 1. colours: of each
    label, by its value.
    """

    cases: int
    dpi: int
    opacity: float
    colours: dict[int, str]

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "FigureSettings":
        """Return the settings of the section as JSON, where colours are named `label_1` and so on."""
        return cls(content["cases"], content["dpi"], content["opacity"], label_colours(content))


def label_colours(content: Mapping[str, Any]) -> dict[int, str]:
    """Return the colours of the labels, by value, from the section `figures` of the completed configuration."""
    colours = {int(name.removeprefix("label_")): colour for name, colour in content["colours"].items()}
    return dict(sorted(colours.items()))


def figure_style() -> AbstractContextManager[None]:
    """The style of all figures, within a `with` block, whatever the user's own matplotlib settings say."""
    return style.context(_RC, after_reset=True)


def blend_over_tissue(colour: str, opacity: float) -> tuple[float, float, float]:
    """How a colour looks when painted with `opacity` over the dark grey of most brain tissue; for legends."""
    red, green, blue = (opacity * channel + (1 - opacity) * _TISSUE_GREY for channel in to_rgb(colour))
    return red, green, blue


def label_handles(settings: FigureSettings, task: Task) -> list[Artist]:
    """Legend entries of the labels: as they look over the image."""
    return [
        Patch(
            facecolor=blend_over_tissue(settings.colours[label], settings.opacity),
            edgecolor=settings.colours[label],
            label=f"{label}: {title}",
        )
        for label, title in task.label_titles.items()
    ]


def outcome_handles(task: Task) -> list[Artist]:
    """Legend entries of the outcomes of a comparison: as they look over the image, hatches included."""
    return [
        Patch(
            facecolor=blend_over_tissue(outcome.colour, outcome.opacity),
            edgecolor=TEXT_COLOUR,  # white would be lost on paper
            hatchcolor=outcome.colour,
            hatch=outcome.hatch,
            label=outcome.name,
        )
        for outcome in task_outcomes(task)
    ]


def add_legend(figure: Figure, handles: Sequence[Artist], *, line: int = 0) -> None:
    """Put a legend at the foot of `figure`, in `legend_lines` lines; `line` is its lowest and counts upwards."""
    height = (LEGEND_LINE_INCHES * line + 0.05) / figure.get_figheight()
    columns = ceil(len(handles) / legend_lines(handles))
    figure.legend(handles=handles, loc="lower center", bbox_to_anchor=(0.5, height), ncols=columns, borderpad=0.2)


def legend_lines(handles: Sequence[Artist]) -> int:
    """Return how many lines a legend at the foot of a figure needs."""
    widths = [_LEGEND_ENTRY_INCHES + _CHARACTER_INCHES * len(str(handle.get_label())) for handle in handles]
    for lines in range(1, len(handles)):
        columns = [max(widths[first : first + lines]) for first in range(0, len(widths), lines)]
        if sum(columns) <= FIGURE_WIDTH_INCHES:
            return lines
    return max(1, len(handles))


def save_figure(figure: Figure, paths: Sequence[Path], dpi: int) -> None:
    """Write `figure` to each path, as PNG or PDF by its suffix, whole or not at all.

    No date or software is written: equal figures give equal bytes. In a PDF lines and text stay such, and text can be
    edited; images are embedded at `dpi`.
    """
    for path in paths:
        format_ = path.suffix.removeprefix(".")
        content = BytesIO()  # not the file: on a full disk matplotlib's PDF writer stumbles over its own half-made file
        with figure_style():
            figure.savefig(content, format=format_, dpi=dpi, metadata=_NO_METADATA[format_])
        write_bytes(path, content.getvalue())
