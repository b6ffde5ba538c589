"""Build, read and write the manifest: one row per case, with its problems, warnings and facts."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import pandas as pd

from tumorseg.cohort.exclusions import exclude_cases
from tumorseg.cohort.layouts.listing import abbreviate
from tumorseg.cohort.patients import assign_patients
from tumorseg.cohort.validation_result import Issue, ValidationResult
from tumorseg.errors import Message, UserError
from tumorseg.formatting import format_part
from tumorseg.io.tables import read_table, write_table
from tumorseg.task import Task

REQUIRED_COLUMNS: Final = (
    *("case", "patient", "usable", "problems", "detail", "warnings", "channels", "convention", "shape", "spacing"),
    *("not_understood", "mask_file", "other_tasks"),
)
"""The columns that every manifest has. Lists in cells are comma-separated.

problems, warnings: codes. detail: messages of the problems. channels: those with a readable image. shape: for example
240x240x155. spacing: in millimetres, for example 1x1x1. not_understood: files that may be images of the case but have
no role. mask_file: path relative to the root. other_tasks: tasks that the case may belong to instead, see
`other_task.find_other_task_signs`.
"""
_MAX_NAMES: Final = 20
"""Maximum number of file names in a cell."""
_REASON_COLUMN: Final = "excluded"
"""Why `cohort.exclude` lists the case. The column exists only if the list has a case."""
_LABEL_COLUMN: Final = re.compile(r"label_\d+")
"""Columns with the number of voxels of each label; empty where unknown."""


def manifest_columns(task: Task) -> list[str]:
    """Return the columns of a manifest, in order."""
    return [*REQUIRED_COLUMNS[:-2], *task.label_structures, *REQUIRED_COLUMNS[-2:]]


def build_manifest(
    results: Iterable[ValidationResult],
    *,
    task: Task,
    patient_pattern: str | None = None,
    patient_table: Path | None = None,
    patients_in_sheet: Mapping[str, str] | None = None,
    exclusions: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Build the manifest, with duplicates between cases marked and each case assigned to its patient.

    Args:
        results: validation results of all cases.
        task: task of the cohort.
        patient_pattern: pattern of `cohort.patient`, see `patients.assign_patients`.
        patient_table: the user's own table of patients.
        patients_in_sheet: patient by case, from the sample sheet.
        exclusions: reason by excluded case, see `exclusions.read_exclusions`.

    Returns:
        One row per case, sorted by case, with the columns of `manifest_columns`. If there are exclusions, a column
        `excluded` has their reasons.

    Raises:
        UserError: as `patients.assign_patients`.
    """
    ordered = final_results(results, exclusions or {})
    patients = assign_patients(
        [result.case for result in ordered],
        pattern=patient_pattern,
        table=patient_table,
        required_cases=[result.case for result in ordered if result.usable],
        given_patients={result.case: result.facts["patient"] for result in ordered if "patient" in result.facts}
        | dict(patients_in_sheet or {}),
    )
    rows = [_row(result, patients[result.case], task) for result in ordered]
    types = dict.fromkeys(task.label_structures, "Int64") | {"usable": bool}
    table = pd.DataFrame(rows, columns=manifest_columns(task)).astype(types)
    return table.assign(**{_REASON_COLUMN: table["case"].map(exclusions).fillna("")}) if exclusions else table


def manifest_exclusions(table: pd.DataFrame) -> dict[str, str]:
    """Return the reason of each excluded case of a manifest."""
    excluded = table[["excluded" in codes.split(",") for codes in table["problems"]]]
    return {row["case"]: row[_REASON_COLUMN] for row in excluded.to_dict("records")}


def final_results(results: Iterable[ValidationResult], exclusions: Mapping[str, str]) -> list[ValidationResult]:
    """Return the results sorted by case, with excluded cases and then duplicates between the other cases marked.

    Args:
        results: validation results of all cases.
        exclusions: reason by excluded case, see `exclusions.read_exclusions`.
    """
    return mark_duplicate_cases(exclude_cases(sorted(results, key=lambda result: result.case), exclusions))


def mark_duplicate_cases(results: Sequence[ValidationResult]) -> list[ValidationResult]:
    """Add the problem `duplicate_case` to usable cases with equal images.

    If their masks are equal too, the first case stays usable. Otherwise none does, because one mask must be wrong.

    Args:
        results: validation results, sorted by case.

    Returns:
        The results in the same order.
    """
    usable = sorted((result for result in results if result.usable), key=_image_digests)
    dropped = {}
    for _, group in groupby(usable, key=_image_digests):
        duplicates = list(group)
        masks_agree = len({result.facts["tumour_crc32"] for result in duplicates}) == 1
        for result in duplicates[1:] if masks_agree else duplicates if len(duplicates) > 1 else []:
            others = ", ".join(other.case for other in duplicates if other is not result)
            message = (
                f"{result.case} has the same images and mask as {others}; {duplicates[0].case} is used"
                if masks_agree
                else f"{result.case} has the same images as {others} but another mask; remove the wrong one"
            )
            issue = Issue("duplicate_case", result.case, message)
            dropped[result.case] = replace(result, usable=False, problems=(*result.problems, issue))
    return [dropped.get(result.case, result) for result in results]


def write_manifest(path: Path, table: pd.DataFrame) -> None:
    """Write a manifest as TSV; `usable` is `true` or `false`, and unknown values are empty."""
    as_text = table.assign(usable=table["usable"].map({True: "true", False: "false"}))
    write_table(path, as_text)


def read_manifest(path: Path) -> pd.DataFrame:
    """Return the table that `write_manifest` wrote.

    Raises:
        UserError: the file is not a manifest.
    """  # noqa: DOC501
    try:
        table = read_table(path)
        missing = [column for column in REQUIRED_COLUMNS if column not in table]
        if missing:
            raise UserError(f"{path}: the manifest has no column {missing[0]}; delete the file and run again")
        if not table["usable"].isin(("true", "false")).all():
            raise ValueError("usable is neither true nor false")
        table["usable"] = table["usable"] == "true"
        counts = [column for column in table if _LABEL_COLUMN.fullmatch(column)]
        return table.assign(**{column: pd.to_numeric(table[column]).astype("Int64") for column in counts})
    except (ValueError, TypeError) as error:
        raise UserError(f"{path}: this is not a manifest ({error}); delete the file and run again") from None


def usable_patients(table: pd.DataFrame) -> dict[str, str]:
    """Return the patient of each usable case of a manifest."""
    usable = table[table["usable"]]
    return dict(zip(usable["case"], usable["patient"], strict=True))


def manifest_summary(table: pd.DataFrame, path: Path, max_lines: int = 20) -> list[Message]:
    """Return the lines to log about a manifest: how many cases are usable, and why the others were dropped.

    Args:
        table: the manifest.
        path: path of the manifest, for the last line.
        max_lines: maximum number of dropped cases to list.

    Returns:
        One line, and one for each listed case.
    """
    dropped = table[~table["usable"]]
    count = f"{format_part(len(table) - len(dropped), len(table), 'case')} usable"
    if dropped.empty:
        return [count]
    lines = [f"{row.case}: {row.problems}: {row.detail}" for row in dropped.head(max_lines).itertuples()]
    rest: list[Message] = [f"and {len(dropped) - max_lines} more: see {path}"] if len(dropped) > max_lines else []
    return [f"{count}; {len(dropped)} dropped:", *(f"  {line}" for line in lines + rest)]


def _row(result: ValidationResult, patient: str, task: Task) -> dict[str, Any]:
    facts = result.facts
    return {
        "case": result.case,
        "patient": patient,
        "usable": result.usable,
        "problems": _join_codes(result.problems),
        "detail": _one_line(result.reasons()),
        "warnings": _join_codes(result.warnings),
        "channels": ",".join(name for name in task.channel_names if name in facts["files"]),
        "convention": facts.get("convention") or "",
        "shape": "x".join(map(str, facts.get("shape", []))),
        "spacing": "x".join(f"{edge:g}" for edge in facts.get("spacing", [])),
        **{count: facts.get(count) for count in task.label_structures},
        "not_understood": abbreviate(facts.get("not_understood", ()), _MAX_NAMES),
        "mask_file": facts["files"].get("seg", {}).get("path", ""),
        "other_tasks": ",".join(facts.get("other_tasks", [])),
    }


def _image_digests(result: ValidationResult) -> tuple[Any, ...]:
    files = result.facts["files"]
    return (result.facts["shape"], [(role, files[role]["sample_digest"]) for role in sorted(files) if role != "seg"])


def _join_codes(issues: Iterable[Issue]) -> str:
    return ",".join(dict.fromkeys(issue.code for issue in issues))


def _one_line(messages: Iterable[str]) -> str:
    return " ".join(" | ".join(messages).split())
