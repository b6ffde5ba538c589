"""Collect what the page of scores shows: notes, rows of tables, plots and pictures."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from tumorseg.evaluation.comparison_lines import difference_texts, signed_text
from tumorseg.evaluation.disagreements import Disagreement, MaskSlices
from tumorseg.evaluation.score_set import ScoreSet
from tumorseg.formatting import format_count, format_list, format_p
from tumorseg.metrics.bootstrap import FEW_CASES
from tumorseg.metrics.comparable import ScoreArrays
from tumorseg.metrics.metric_record import Metric
from tumorseg.reporting.scores_page.mask_pictures import common_window, mask_picture
from tumorseg.reporting.scores_page.mask_viewer import pair_name
from tumorseg.reporting.shared.paired_plots import case_plot, interval_plot
from tumorseg.reporting.viewer.embed import EmbeddedViewer
from tumorseg.task import Task

_MAX_NAMES_BELOW_PLOT: Final = 4
_MAX_NAME_LENGTH: Final = 12
"""More or longer names than these are numbers below a plot."""


@dataclass(frozen=True)
class DifferenceRow:
    """A row of a table of differences: a folder minus the baseline, in one score of one region."""

    region: str
    folder: str
    mean: str
    interval: str
    plot: str
    counts: tuple[int, int, int]
    p: str
    p_corrected: str
    significant: bool


@dataclass(frozen=True)
class Plot:
    """A plot of the scores of all cases in one score of one region."""

    title: str
    svg: str


@dataclass(frozen=True)
class Panel:
    """A mask of a case.

    Attributes:
        title: `Reference`, or the folder.
        note: how good the mask is.
        svg: the picture; empty if there is no valid mask.
        viewer_case: its name in the viewer; empty if it is not there.
    """

    title: str
    note: str
    svg: str
    viewer_case: str = ""


@dataclass(frozen=True)
class Picture:
    """The masks of a case.

    Attributes:
        case: name of the case.
        caption: why the case is shown, and which slice.
        panels: all masks, the reference first.
    """

    case: str
    caption: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, eq=False)
class ScoresPage:
    """The content of the page.

    Attributes:
        sets: the sets of scores, those in general use first.
        pictures: the cases with the largest disagreements.
        viewer: the viewer of their masks; None without pictures.
        not_in_viewer: number of valid predictions in the pictures that had no room in the viewer.
    """

    sets: tuple[ScoreSet, ...]
    pictures: tuple[Picture, ...]
    viewer: EmbeddedViewer | None
    not_in_viewer: int = 0

    @property
    def summaries(self) -> Mapping[str, Mapping[str, Any]]:
        """The summary of each folder."""
        return self.sets[0].summaries


def page_notes(page: ScoresPage, task: Task) -> list[tuple[str, str]]:
    """Return the sentences at the top of the page, each with the anchor of the section with the details."""
    notes = []
    first = next(iter(page.summaries.values()))
    if first["cases"] < FEW_CASES:
        text = f"Only {format_count(first['cases'], 'case')}: differences are rough, and means have no intervals."
        notes.append((text, "scores"))
    comparison = page.sets[0].comparison
    if comparison and comparison["patients"] < comparison["cases"]:
        notes.append(
            (
                f"{format_count(comparison['cases'], 'case')} of {format_count(comparison['patients'], 'patient')}: "
                "the intervals and the ranking draw patients, but the tests treat the cases as independent.",
                "scores",
            )
        )
    for folder, summary in page.summaries.items():
        if missed := page.sets[0].missed(folder):
            count = format_count(len(missed), "case")
            notes.append((f"{folder}: {count} without a valid mask, scored as missed.", "masks"))
        if summary["without_reference"]:
            count = format_count(len(summary["without_reference"]), "mask")
            notes.append((f"{folder}: {count} without a reference, not scored.", "masks"))
        if summary["hints"]:
            notes.append((f"{folder}: masks may have a wrong orientation or permuted labels.", "masks"))
        for label in summary["never_predicted"]:
            title = f"{label.replace('_', ' ')} ({task.structure_titles[label]})"
            notes.append((f"{folder} never predicts {title}, although the references have it.", "scores"))
    exchanged = {
        case for scored in page.sets[1:] for summary in scored.summaries.values() for case in summary["exchanged_edges"]
    }
    if exchanged:
        text = f"The voxel edges along X and Z differ in {format_count(len(exchanged), 'case')}: as in the challenge's "
        notes.append(
            (f"{text}package, NSD and HD95 of {page.sets[1].title} exchange them.", f"scores-{page.sets[1].name}")
        )
    return notes


def folder_labels(folders: Sequence[str]) -> list[str]:
    """Return a short text for each folder, to write below plots: its name, or its number if names are long."""
    if len(folders) <= _MAX_NAMES_BELOW_PLOT and max(map(len, folders)) <= _MAX_NAME_LENGTH:
        return list(folders)
    return [str(number) for number, _ in enumerate(folders, start=1)]


def case_plots(scored: ScoreSet, task: Task) -> dict[str, list[Plot]]:
    """Return the plots of the main scores, by heading of the score, then one for each region with a value."""
    arrays = ScoreArrays(scored.tables)
    labels = folder_labels(arrays.folders)
    plots: dict[str, list[Plot]] = {}
    for metric in scored.main_scores:
        for region in task.region_labels:
            values, counted = arrays.comparable(region, metric)
            if not len(values):
                continue
            cases = [case for case, counts in zip(arrays.cases, counted, strict=True) if counts]
            name = f"{metric.heading} of {region} in each case"
            plot = Plot(region, case_plot(values, cases, labels, metric, name=name))
            plots.setdefault(metric.heading, []).append(plot)
    return plots


def difference_rows(scored: ScoreSet, metric: Metric, task: Task) -> list[DifferenceRow]:
    """Return the differences of all folders from the baseline in one score."""
    comparison = scored.comparison
    if comparison is None:
        return []
    found = [
        (region, folder, numbers)
        for region in task.region_labels
        for folder, numbers in comparison["structures"][region][metric.name]["differences"].items()
    ]
    limits = [abs(numbers[end]) for _, _, numbers in found for end in ("low", "high") if numbers[end] is not None]
    alpha = 1 - comparison["confidence"]
    rows = []
    for region, folder, numbers in found:
        significant = numbers["p_holm"] is not None and numbers["p_holm"] <= alpha
        low, mean, high = (numbers[end] for end in ("low", "difference", "high"))
        plot = "" if mean is None else interval_plot(low, mean, high, max(limits), significant=significant)
        corrected = "–" if numbers["p_holm"] is None else format_p(numbers["p_holm"])
        counts = (numbers["better"], numbers["equal"], numbers["worse"])
        texts = difference_texts(numbers, metric)
        rows.append(DifferenceRow(region, folder, *texts, plot, counts, format_p(numbers["p"]), corrected, significant))
    return rows


def significance_sentence(scored: ScoreSet) -> str:
    """Return how many differences are significant after the correction, and whether any could be."""
    comparison = scored.comparison
    if comparison is None:
        return ""
    number, alpha = comparison["tests"]["number"], 1 - comparison["confidence"]
    results = [
        numbers
        for by_score in comparison["structures"].values()
        for result in by_score.values()
        for numbers in result["differences"].values()
        if numbers["p_holm"] is not None
    ]
    found = sum(numbers["p_holm"] <= alpha for numbers in results)
    sentence = f"{found} of {format_count(number, 'test')} {'has' if found == 1 else 'have'} a p value of at most "
    sentence += f"{alpha:.2g} after the correction by the method of Holm for all {number} tests of this section."
    smallest = 2.0 ** (1 - comparison["cases"])
    if number and smallest * number > alpha:
        sentence += (
            f" With {format_count(comparison['cases'], 'case')}, no test can have a p value below {smallest:.2g}, so "
            f"that none of {number} can reach this level: this is no evidence that the folders are equal."
        )
    return sentence


def picture(found: Disagreement, slices: MaskSlices, colours: Mapping[int, str]) -> Picture:
    """Return the picture of a case.

    Args:
        found: the case.
        slices: a slice of its masks.
        colours: colour of each label, as `#rrggbb`.
    """
    valid = [mask for mask in slices.predictions.values() if mask is not None]
    window = common_window([slices.reference, *valid], slices.pixel_mm)

    def panel(name: str, mask: Any) -> str:
        text = f"{name} of {found.case}"
        return mask_picture(mask, window, colours, outlined=slices.reference, name=text)

    panels = [Panel("Reference", "", panel("Reference", slices.reference))]
    for folder, mask in slices.predictions.items():
        if mask is None:
            panels.append(Panel(folder, "no valid mask", ""))
        else:
            note = f"Dice {found.dice[folder]:.3f}"
            panels.append(Panel(folder, note, panel(folder, mask), pair_name(found.case, folder)))
    if found.between_folders:
        reason = f"the mean Dice over the labels differs by {found.spread:.3f} between the folders"
    else:
        worst = min(found.dice, key=lambda folder: found.dice[folder])
        reason = f"the mean Dice over the labels of {worst} is {found.dice[worst]:.3f}"
    return Picture(found.case, f"{reason}; axial slice {slices.number} of {slices.count}", tuple(panels))


def case_table_rows(
    scored: ScoreSet, columns: Sequence[tuple[Metric, str]], most_rows: int
) -> Iterator[tuple[str, str, bool, list[tuple[str, str]]]]:
    """Yield the rows of the table of all cases.

    A row has the case, the folder, whether its mask is missing or invalid, and the sort value and text of each score.

    Args:
        scored: the scores.
        columns: score and structure of each column.
        most_rows: maximum number of rows; if there are more, those of the last cases are left out.
    """
    arrays = ScoreArrays(scored.tables)
    values = [arrays.values(structure, metric.name) for metric, structure in columns]
    brackets = [_conventions(arrays, structure, metric, scored) for metric, structure in columns]
    shown_cases = min(len(arrays.cases), max(1, most_rows // len(arrays.folders)))
    missed = {folder: scored.missed(folder) for folder in arrays.folders}
    for row, case in enumerate(arrays.cases[:shown_cases]):
        for column, folder in enumerate(arrays.folders):
            is_missed = case in missed[folder]
            cells = [
                _cell(float(numbers[row, column]), is_missed or bool(convention[row, column]), metric)
                for numbers, convention, (metric, _) in zip(values, brackets, columns, strict=True)
            ]
            yield case, folder, is_missed, cells


def has_cases_without_value(scored: ScoreSet, task: Task) -> bool:
    """Return whether a main score of a region has no value for some folder where another folder has one."""
    arrays = ScoreArrays(scored.tables)
    missing = (
        np.isnan(arrays.values(region, metric.name)) for metric in scored.main_scores for region in task.region_labels
    )
    return any(bool((each.any(axis=1) & ~each.all(axis=1)).any()) for each in missing)


def describe_brackets(scored: ScoreSet) -> str:
    """Return what values in brackets are in the table of all cases."""
    if _has_voxel_counts(scored):
        return "In brackets: defined by convention, because a mask lacks the structure or is missing."
    worst = format_list(sorted({f"{metric.worst:g}" for metric in scored.scores if metric.worst is not None}))
    return f"In brackets: the mask is missing. {worst} without brackets may also mean that nothing overlaps."


def _has_voxel_counts(scored: ScoreSet) -> bool:
    return "reference_voxels" in next(iter(scored.tables.values()))


def _conventions(arrays: ScoreArrays, structure: str, metric: Metric, scored: ScoreSet) -> Any:
    """Return whether each score is defined by convention, bool (cases, folders)."""
    if not _has_voxel_counts(scored):
        return np.zeros((len(arrays.cases), len(arrays.folders)), bool)
    reference, predicted = (arrays.values(structure, name) for name in ("reference_voxels", "predicted_voxels"))
    return np.vectorize(metric.is_convention, otypes=[bool])(reference, predicted)


def _cell(value: float, by_convention: bool, metric: Metric) -> tuple[str, str]:
    if np.isnan(value):
        return "", "–"
    text = metric.text(value).replace("-", "−")
    if metric.better == "nearer_zero":
        text = signed_text(value, metric)
    return f"{value / metric.divisor:.6g}", f"({text})" if by_convention else text


def missing_texts(summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the cases of a folder without a valid mask, each with the reason."""
    missing = [(case, "no file of this case") for case in summary["missing"]]
    return [*missing, *((row["case"], f"{row['file']}: {row['reason']}") for row in summary["unusable"])]


def metric_names(metrics: Sequence[Metric]) -> str:
    """Return the headings of scores as a list: `Dice and HD95, mm`."""
    return format_list([metric.title for metric in metrics])
