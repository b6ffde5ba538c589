"""The time points of a patient in their order, and the changes of the measures between them.

The RANO 2.0 percentages are lines that a reader can compare changes with. They are facts about numbers: whether a
change means anything for a patient depends on much that no mask contains, such as treatment, steroids and symptoms.

References:
    RANO 2.0, Wen et al. 2023, doi:10.1200/JCO.23.01059
"""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from tumorseg.clinical.measures import ENHANCING, ClinicalMeasures
from tumorseg.formatting import format_decimal, format_part
from tumorseg.task import Task

Reference = Literal["baseline", "nadir"]
"""What a change is relative to: the value of the first time point, or the smallest value of all earlier ones."""
_TOLERANCE_PERCENT: Final = 1e-6
"""Far more than the rounding of floats: from 10 to 14 ml, the change is computed as 39.99999999999999 %."""


@dataclass(frozen=True)
class Line:
    """A percentage of RANO 2.0.

    Attributes:
        reference: what the change is relative to.
        percent: the change; the line is reached by changes that are at least as large, in this direction.
    """

    reference: Reference
    percent: float

    def is_reached(self, change_percent: float) -> bool:
        """Return whether a change relative to `reference` reaches the line."""
        beyond = change_percent - self.percent if self.percent > 0 else self.percent - change_percent
        return beyond >= -_TOLERANCE_PERCENT

    @property
    def text(self) -> str:
        """The line as text, such as `+25 % from nadir`."""
        sign = "+" if self.percent > 0 else ""
        return f"{sign}{format_decimal(self.percent)} % from {self.reference}"


AREA_LINES: Final = (Line("nadir", 25.0), Line("baseline", -50.0))
"""Lines for the sum of the products of two diameters."""
VOLUME_LINES: Final = (Line("nadir", 40.0), Line("baseline", -65.0))
"""Lines for the volume."""


@dataclass(frozen=True)
class Tracked:
    """A measure whose changes are computed.

    Attributes:
        name: column in tables.
        title: title on pages.
        unit: unit of the value.
        lines: lines to compare its changes with; empty if RANO 2.0 has none.
        value: function that returns the value.
    """

    name: str
    title: str
    unit: str
    lines: tuple[Line, ...]
    value: Callable[[ClinicalMeasures], float | None]


def tracked_measures(task: Task) -> tuple[Tracked, ...]:
    """Return the measures whose changes are computed: size of enhancing tumour if the task has it, and whole tumour.

    The whole tumour has no lines, because it contains oedema.
    """
    whole = task.whole_tumour
    tracked = [
        Tracked(f"{whole}_ml", f"Volume of {task.structure_titles[whole]}", "ml", (), _volume(whole)),
    ]
    if (label := task.label_of(ENHANCING)) is not None:
        structure = region.name if (region := task.enhancing_region) else f"label_{label}"
        title = task.structure_titles[structure]
        tracked = [
            Tracked(
                "enhancing_sum_mm2",
                "Sum of products of enhancing lesions",
                "mm²",
                AREA_LINES,
                lambda measures: measures.sum_of_products_mm2,
            ),
            Tracked(f"{structure}_ml", f"Volume of {title}", "ml", VOLUME_LINES, _volume(structure)),
            *tracked,
        ]
    return tuple(tracked)


@dataclass(frozen=True)
class TimePoint:
    """A time point of a patient.

    Attributes:
        case: name of the case.
        measures: measures of its mask; None if the case has no mask.
        days: days since the first time point; None without dates.
    """

    case: str
    measures: ClinicalMeasures | None
    days: int | None


@dataclass(frozen=True)
class Course:
    """The time points of a patient.

    Attributes:
        patient: name of the patient.
        points: time points in their order.
        ordered: whether the order is known; without it, there are no changes.
        notices: what a reader must know, in words.
    """

    patient: str
    points: tuple[TimePoint, ...]
    ordered: bool
    notices: tuple[str, ...]

    def values(self, tracked: Tracked) -> list[float | None]:
        """Return the value of a measure at each time point; None without a mask."""
        return [None if point.measures is None else tracked.value(point.measures) for point in self.points]

    def references(self, tracked: Tracked, reference: Reference) -> list[float | None]:
        """Return what the change at each time point is relative to; None where it has none.

        The baseline is the value of the first time point with a mask.
        """
        if not self.ordered:
            return [None] * len(self.points)
        found: list[float | None] = []
        earlier: list[float] = []
        for value in self.values(tracked):
            chosen = earlier[:1] if reference == "baseline" else earlier
            found.append(min(chosen, default=None))
            earlier += [] if value is None else [value]
        return found

    def changes(self, tracked: Tracked, reference: Reference) -> list[float | None]:
        """Return the change in percent at each time point; None where it is undefined, also if the reference is 0."""
        pairs = zip(self.values(tracked), self.references(tracked, reference), strict=True)
        return [None if value is None or not before else 100 * (value / before - 1) for value, before in pairs]

    def lines_reached(self, tracked: Tracked, index: int) -> list[Line]:
        """Return the lines that the change at a time point reaches."""
        changes = {reference: self.changes(tracked, reference)[index] for reference in ("baseline", "nadir")}
        return [
            line
            for line in tracked.lines
            if (change := changes[line.reference]) is not None and line.is_reached(change)
        ]


def find_courses(
    measures: Mapping[str, ClinicalMeasures | None],
    patients: Mapping[str, str],
    dates: Mapping[str, str] | None = None,
) -> list[Course]:
    """Return the course of each patient with several time points.

    Time points are in the order of their dates. If a patient lacks a date, they are in the order of the numbers in
    their names, if the names differ in one number only. A text that is no date counts as a missing one, with a notice.

    Args:
        measures: measures of each case; None if it has no mask.
        patients: patient of each case, see `cohort.patients`.
        dates: date of each case that has one, `2024-03-31` or `20240331`.
    """
    cases: dict[str, list[str]] = defaultdict(list)
    for case in sorted(measures):
        cases[patients[case]].append(case)
    return [
        _course(patient, found, measures, dates or {}) for patient, found in sorted(cases.items()) if len(found) > 1
    ]


def _parse_date(text: str) -> date | None:
    """Return a date; None if the text is none."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def _course(
    patient: str,
    cases: Sequence[str],
    measures: Mapping[str, ClinicalMeasures | None],
    texts: Mapping[str, str],
) -> Course:
    parsed = {case: _parse_date(texts[case]) for case in cases if case in texts}
    dates = {case: day for case, day in parsed.items() if day is not None}
    dated = [case for case in cases if case in dates]
    notices = [f"{case}: {texts[case]} is no date and is left out" for case, day in parsed.items() if day is None]
    days: dict[str, int] = {}
    order: Sequence[str] | None
    if len(dated) == len(cases):
        order = sorted(cases, key=lambda case: (dates[case], case))
        days = {case: (dates[case] - dates[order[0]]).days for case in cases}
        if len(set(days.values())) < len(cases):
            notices.append("several time points have the same date; they are in the order of their names")
    else:
        order = _order_by_name(cases)
        missing = f"{format_part(len(dated), len(cases), 'time point')} dated" if dated else "no dates"
        found = (
            "the time points are in the order of their names" if order else "the order of the time points is unknown"
        )
        notices.append(f"{missing}: {found}")
    points = tuple(TimePoint(case, measures[case], days.get(case)) for case in order or cases)
    return Course(patient, points, order is not None, (*notices, *_mask_notices(points)))


def _order_by_name(cases: Sequence[str]) -> list[str] | None:
    """Return cases in the order of the only number in which their names differ; None if they differ in more."""
    parts = {case: re.split(r"(\d+)", case) for case in cases}
    lengths = {len(found) for found in parts.values()}
    if len(lengths) > 1:
        return None
    differing = [index for index in range(lengths.pop()) if len({found[index] for found in parts.values()}) > 1]
    if len(differing) != 1 or differing[0] % 2 == 0:
        return None
    return sorted(cases, key=lambda case: int(parts[case][differing[0]]))


def _mask_notices(points: Sequence[TimePoint]) -> list[str]:
    """Return notices about missing masks, tumour that is not in the sum of products, and different voxels."""
    measured = [point.measures for point in points if point.measures is not None]
    notices = []
    if len(measured) < len(points):
        without = ", ".join(point.case for point in points if point.measures is None)
        notices.append(f"without a mask, and left out of baseline and nadir: {without}")
    unmeasurable = [
        point.case
        for point in points
        if point.measures is not None
        and (lesions := point.measures.lesions.get(ENHANCING)) is not None
        and lesions.count
        and not lesions.measurable
    ]
    if unmeasurable:
        notices.append(
            f"enhancing tumour without a measurable lesion, so that the sum of products is 0: {', '.join(unmeasurable)}"
        )
    if len({tuple(round(edge, 2) for edge in found.spacing_mm) for found in measured}) > 1:
        notices.append("the time points have different voxel sizes, which alone can change volumes and diameters")
    return notices


def _volume(structure: str) -> Callable[[ClinicalMeasures], float]:
    return lambda measures: measures.volumes_ml[structure]
