"""The table of the courses: measures, changes in percent and the lines that they reach, at each time point."""

from collections.abc import Sequence
from typing import Any, Final

import pandas as pd

from tumorseg.clinical.course import Course, Reference, Tracked, tracked_measures
from tumorseg.clinical.measures import diameter_measures, volume_measures
from tumorseg.task import Task

RESEARCH_USE: Final = "for research use only"
_ZERO_REFERENCE: Final[dict[Reference, str]] = {"baseline": "at baseline", "nadir": "at its nadir"}


def course_table(courses: Sequence[Course], task: Task) -> pd.DataFrame:
    """Return a row for each time point of each course.

    Columns are `patient`, `case`, `time_point` (from 1), `days` since the first time point, all measures,
    `{measure}_from_baseline_percent` and `{measure}_from_nadir_percent` of those that are tracked, `lines_reached`
    (RANO 2.0 percentages) and `notices`. A cell is empty where a value or a percentage is undefined. The nadir is the
    smallest value of all earlier time points.

    Args:
        courses: the courses, see `course.find_courses`.
        task: task of the masks.
    """
    return pd.DataFrame([_row(course, index, task) for course in courses for index in range(len(course.points))])


def _row(course: Course, index: int, task: Task) -> dict[str, Any]:
    point = course.points[index]
    tracked = tracked_measures(task)
    measures = (*volume_measures(task), *diameter_measures(task))
    return {
        "patient": course.patient,
        "case": point.case,
        "time_point": index + 1,
        # An integer column cannot have empty cells.
        "days": "" if point.days is None else str(point.days),
        **{measure.name: measure.number(point.measures) for measure in measures},
        **{
            f"{measure.name}_from_{reference}_percent": _rounded(course.changes(measure, reference)[index])
            for measure in tracked
            for reference in ("baseline", "nadir")
        },
        "lines_reached": ", ".join(
            f"{measure.name} {line.text}" for measure in tracked for line in course.lines_reached(measure, index)
        ),
        "notices": " | ".join((RESEARCH_USE, *course.notices, *_zero_notices(course, tracked, index))),
    }


def _zero_notices(course: Course, tracked: Sequence[Tracked], index: int) -> list[str]:
    """Return why a time point lacks percentages although it has a mask: what they are relative to is 0."""
    return [
        f"{measure.name} was 0 {where}: no percentage"
        for measure in tracked
        for reference, where in _ZERO_REFERENCE.items()
        if course.references(measure, reference)[index] == 0 and course.values(measure)[index]
    ]


def _rounded(percent: float | None) -> float | None:
    return None if percent is None else round(percent, 1)
