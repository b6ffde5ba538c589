"""Write the courses of the patients with several time points: a table, and a chart for each patient."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final

from tumorseg.clinical.course import find_courses
from tumorseg.clinical.course_table import RESEARCH_USE, course_table
from tumorseg.cohort.file_names import printable
from tumorseg.cohort.patients import patients_from_names
from tumorseg.errors import Message
from tumorseg.formatting import format_count
from tumorseg.io.tables import write_table
from tumorseg.plotting.course_chart import course_chart
from tumorseg.plotting.style import save_figure
from tumorseg.segmentation.prepared_patients import Visit
from tumorseg.segmentation.result_files import picture_file
from tumorseg.segmentation.results import PatientResult
from tumorseg.task import Task

COURSE_TABLE_FILE: Final = "course.tsv"
_DPI: Final = 150
_MAX_NAME_BYTES: Final = 150
_UNSAFE: Final = re.compile(r"[/\\{}]")
"""Signs that a file name should not have; names from folders or DICOM files may have them."""


def write_courses(
    folder: Path, results: Sequence[PatientResult], task: Task, visits: Mapping[str, Visit] = MappingProxyType({})
) -> list[Path]:
    """Write `course.tsv` and `course-{patient}.png` if a patient has several time points.

    Args:
        folder: folder of the masks.
        results: results of all cases.
        task: task of the masks.
        visits: patient and date of the cases where they are known. Otherwise the names of the cases say which belong to
            one patient.

    Returns:
        The files; none without a course.
    """
    measures = {result.case: result.measures for result in results}
    given = {case: printable(visit.patient) for case, visit in visits.items() if visit.patient}
    patients = patients_from_names(measures) | given
    dates = {case: visit.date for case, visit in visits.items() if visit.date}
    courses = find_courses(measures, patients, dates)
    if not courses:
        return []
    write_table(folder / COURSE_TABLE_FILE, course_table(courses, task))
    charts = [folder / name for name in course_files([course.patient for course in courses], list(measures))]
    for course, chart in zip(courses, charts, strict=True):
        save_figure(course_chart(course, task), [chart], _DPI)
    return [folder / COURSE_TABLE_FILE, *charts]


def course_files(patients: Sequence[str], cases: Sequence[str]) -> list[str]:
    """Return the name of the chart of each patient.

    Args:
        patients: names of patients with a course: any text without control characters.
        cases: names of all cases, whose pictures lie in the same folder.

    Returns:
        File names that differ from each other and from the pictures, in any letter case.
    """
    used = {picture_file(case).casefold() for case in cases}
    names = []
    for patient in patients:
        text = _UNSAFE.sub("_", patient).encode()[:_MAX_NAME_BYTES].decode(errors="ignore")
        name, number = f"course-{text}.png", 2
        while name.casefold() in used:
            name, number = f"course-{text}_{number}.png", number + 1
        used.add(name.casefold())
        names.append(name)
    return names


def course_lines(files: Sequence[Path]) -> list[Message]:
    """Return the line to print about the files that `write_courses` wrote; none without a course."""
    if not files:
        return []
    table, *charts = files
    count = f"{format_count(len(charts), 'patient')} {'has' if len(charts) == 1 else 'have'}"
    return [f"{count} several time points; changes, {RESEARCH_USE}: {table}"]
