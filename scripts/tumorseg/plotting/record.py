"""The record of a figure: what it needs, where the report shows it, and its title, caption and alternative text."""

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


Drawn: TypeAlias = "Figure"
Files = Mapping[str, Sequence[Path]]
Settings = Mapping[str, Any]
Section = Literal["scores", "cases", "cohort", "training"]

SECTIONS: Final[tuple[Section, ...]] = ("scores", "cases", "cohort", "training")
"""The sections of the report that have figures."""
NEEDS: Final[dict[str, Message]] = {
    "manifest": "manifest of the cohort (TSV)",
    "verdicts": "verdicts of all batches (JSON)",
    "normalised": "folders of normalised cases",
    "predictions": "folders of the folds' predicted masks",
    "scores": "scores of each case (CSV)",
    "summary": "summary of the scores (JSON)",
    "history": "history of each fold (CSV)",
    "selection": "selection of each fold, in the order of the histories (JSON)",
    "calibration": "reliability by region (JSON)",
    "left_out": "Dice by case, channel left out and structure (CSV)",
}
"""What a figure can be drawn from; `workflow/rules/figures.smk` says which files these are."""


@dataclass(frozen=True)
class Caption:
    """title: of the figure. text: how to read it. alt: what it shows, for those who cannot see it."""

    title: str
    text: str
    alt: str


@dataclass(frozen=True)
class FigureRecord:
    """A figure. Its module in `tumorseg.plotting.catalogue` has its name; `registry.FIGURES` lists it.

    draw: makes it from the files of each need, the task and the settings. needs: keys of `NEEDS`. section: of
    the report. title, caption, alt: for people, with names in braces that `words` explains. settings: the keys of the
    section `figures` of the configuration that it depends on, besides `dpi`. file: the stem of its files, if it is not
    the name. asked_by: the key of the section `evaluation` that has to be true for it; None: it is always drawn.
    megabytes, minutes: what the job may take.
    """

    name: str
    draw: Callable[[Files, Task, Settings], Drawn]
    needs: tuple[str, ...]
    section: Section
    title: Message
    caption: Message
    alt: Message
    settings: tuple[str, ...] = ()
    file: str = ""
    enabled_by: str | None = None
    megabytes: int = 1000
    minutes: int = 10

    @property
    def rule(self) -> str:
        """The name of its rule."""
        return f"figure_{self.name}"

    @property
    def stem(self) -> str:
        """The stem of its files."""
        return self.file or self.name

    def caption_for(self, task: Task) -> Caption:
        """Return its title, caption and alternative text for a task."""
        terms = caption_terms(task)
        return Caption(*(text.format_map(terms) for text in (self.title, self.caption, self.alt)))


def caption_terms(task: Task) -> dict[str, Message]:
    """Return what names in the braces of captions stand for.

    channels, main_channels, display: titles of channels. The others are sentences and parts of sentences that several
    captions share.
    """
    titles = [channel.title for channel in task.channels]
    several = len(task.labels) > 1
    measure = "mean Dice over the labels" if several else "Dice"
    whole = next(region for region in task.regions if region.name == task.whole)
    return {
        "channels": format_list(titles),
        "main_channels": ", ".join(titles[channel] for channel in task.main_channels),
        "display": titles[task.display_channel],
        "volumes": f"the labels and of the {whole.title}" if len(whole.labels) > 1 else "the labels",
        "cases": f"The cases stand at evenly spaced ranks of their {measure}, from the best to the worst, and are not "
        "picked by hand.",
        "slices": "Each slice is the one with most tumour in the reference, or in the prediction where the reference "
        "has none. Radiological orientation: the patient's right (R) is at the viewer's left.",
        "pieces": "Each piece of a label bears its number where that fits into it.",
        "outcome_names": f"agreement,{' wrong label,' if several else ''} missed and false tumour",
        "outcomes": f"agreement is plain,{' a wrong label dotted,' if several else ''} missed tumour striped, false "
        "tumour cross-hatched",
    }


def to_restructured_text(text: str) -> str:
    """Return a plain text as reStructuredText that shows it unchanged."""
    return re.sub(r"([\\*`|_<>])", r"\\\1", text)
