"""Records that describe the figures: their input files, their section of the report, and their texts."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from tumorseg.errors import Message
from tumorseg.formatting import format_list
from tumorseg.task import Task

if TYPE_CHECKING:
    from matplotlib.figure import Figure


MatplotlibFigure: TypeAlias = "Figure"
Files = Mapping[str, Sequence[Path]]
Settings = Mapping[str, Any]
Section = Literal["scores", "cases", "cohort", "training"]

SECTIONS: Final[tuple[Section, ...]] = ("scores", "cases", "cohort", "training")
"""The sections of the report that have figures."""
NEEDS: Final[dict[str, Message]] = {
    "manifest": "manifest of the cohort (TSV)",
    "validation_results": "validation results of all shards (JSON)",
    "normalised": "folders of normalised cases",
    "predictions": "folders of the folds' predicted masks",
    "scores": "scores of each case (CSV)",
    "lesions": "lesions of each case (CSV)",
    "summary": "summary of the scores (JSON)",
    "history": "history of each fold (CSV)",
    "selection": "selection of each fold, in the order of the histories (JSON)",
    "calibration": "reliability by region (JSON)",
    "reliability": "expected and true Dice of each held-out case (CSV)",
    "channel_subsets": "mean Dice by subset of the channels (CSV)",
    "learning_curve": "scores of each point of the learning curve (CSV)",
}
"""The inputs that a figure can ask for; `workflow/rules/figures_input.smk` maps each to its files."""


@dataclass(frozen=True)
class Caption:
    """The texts of a figure: title, caption, and alternative text for readers who cannot see it."""

    title: str
    text: str
    alt: str


@dataclass(frozen=True)
class FigureRecord:
    """A figure; `figure_list.FIGURES` lists all records.

    Attributes:
        name: the name of its module in `tumorseg.plotting.catalogue`.
        draw: function that returns the figure. Its arguments are the files of each need, the task and the settings.
        needs: keys of `NEEDS`.
        section: the section of the report that shows it.
        title: the title; like `caption` and `alt`, it may contain the names that `caption_terms` defines, in braces.
        caption: how to read the figure.
        alt: alternative text.
        settings: keys of the configuration section `figures` that it depends on, besides `dpi`.
        file: the stem of its files; empty if it equals the name.
        enabled_by: the key of the configuration section `evaluation` that enables it; None if it is always drawn.
        memory_mb: memory of the job.
        time_limit_minutes: time limit of the job.
    """

    name: str
    draw: Callable[[Files, Task, Settings], MatplotlibFigure]
    needs: tuple[str, ...]
    section: Section
    title: Message
    caption: Message
    alt: Message
    settings: tuple[str, ...] = ()
    file: str = ""
    enabled_by: str | None = None
    memory_mb: int = 1000
    time_limit_minutes: int = 10

    @property
    def rule(self) -> str:
        """The name of the rule that draws it."""
        return f"figure_{self.name}"

    @property
    def stem(self) -> str:
        """The stem of its output files."""
        return self.file or self.name

    def caption_for(self, task: Task) -> Caption:
        """Return the texts of the figure for a task."""
        terms = caption_terms(task)
        return Caption(*(text.format_map(terms) for text in (self.title, self.caption, self.alt)))


def caption_terms(task: Task) -> dict[str, Message]:
    """Return the text for each name in braces that captions may contain.

    `channels`, `main_channels` and `display`, the channel behind the masks, are titles of channels. The others are
    phrases shared by several captions.
    """
    titles = [channel.title for channel in task.channels]
    display = _channel_text(task, task.display_channel)
    several = len(task.labels) > 1
    measure = "mean Dice over the labels" if several else "Dice"
    whole = next(region for region in task.regions if region.name == task.whole_tumour)
    return {
        "channels": format_list(titles),
        "main_channels": ", ".join(titles[channel] for channel in task.main_channels),
        "display": display,
        "volumes": f"the labels and of the {whole.title}" if len(whole.labels) > 1 else "the labels",
        "cases": f"Cases are at evenly spaced ranks of their {measure}, from best to worst; they are not selected by "
        "hand.",
        "slices": "Each slice is the one with the most tumour in the reference, or in the prediction if the reference "
        f"has none. {_ORIENTATION}",
        "error_slices": "Each slice is the one in which the most voxels differ between reference and prediction. "
        f"{_ORIENTATION}",
        "outlines": "Images at full contrast. The reference is a solid line in the colour of the region, the "
        f"prediction a dashed white line. {_outlined_regions(task, display)}",
        "pieces": "Each component of a label shows its number where it fits.",
        "outcome_names": f"agreement,{' wrong label,' if several else ''} missed and false tumour",
        "outcomes": f"agreement (plain),{' wrong label (dotted),' if several else ''} missed tumour (striped) and "
        "false tumour (cross-hatched)",
    }


_ORIENTATION: Final[Message] = "Radiological orientation: the patient's right (R) is on the viewer's left."


def _outlined_regions(task: Task, display: Message) -> Message:
    """Return which regions lie over which channel in figures of outlines."""
    whole, *others = (region.name for region in task.regions)
    if not others:
        return f"{whole} is shown on {display}."
    return f"{whole} is shown on {display}, {format_list(others)} on {_channel_text(task, task.main_channels[0])}."


def _channel_text(task: Task, channel: int) -> Message:
    optional = task.channels[channel].optional
    return task.channels[channel].title + (" (another image if it is missing)" if optional else "")


def to_restructured_text(text: str) -> str:
    """Return reStructuredText that renders as the given plain text."""
    return re.sub(r"([\\*`|_<>])", r"\\\1", text)
