"""The manifest: one row per case folder, what is usable of it, and why the rest is not."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import pandas as pd

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
"""The columns that every manifest has.

problems, warnings: codes, comma-separated. detail: the messages of the problems. channels: those of which there is an
image that can be read, comma-separated. shape: 240x240x155. spacing: 1x1x1 (mm). not_understood: names
of files that may be images of the case and take no part, comma-separated. mask_file: relative to the root.
other_tasks: the names of those that the case may belong to instead, comma-separated; see `other_task.signs`.
"""
_MAX_NAMES: Final = 20
"""Names of files in a cell."""
_LABEL_COLUMN: Final = re.compile(r"label_\d+")
"""Columns with the voxels of a label, one for each label of the task, missing where unknown."""


def manifest_columns(task: Task) -> list[str]:
    """The columns of the manifest of a cohort, in order."""
    return [*REQUIRED_COLUMNS[:-2], *task.label_structures, *REQUIRED_COLUMNS[-2:]]


def build_manifest(
    results: Iterable[ValidationResult],
    *,
    task: Task,
    patient_pattern: str | None = None,
    patient_table: Path | None = None,
    patients_in_sheet: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """The table of all cases, sorted by case, duplicates between them found; columns as `columns_of` says.

    patient_pattern, patient_table: the user's own, see `patients.patients_of`, which also says what it raises.
    patients_in_sheet: of the cases that have one in a sample sheet.
    """
    found = mark_duplicate_cases(sorted(results, key=lambda verdict: verdict.case))
    patients = assign_patients(
        [verdict.case for verdict in found],
        pattern=patient_pattern,
        table=patient_table,
        required_cases=[verdict.case for verdict in found if verdict.usable],
        given_patients={verdict.case: verdict.facts["patient"] for verdict in found if "patient" in verdict.facts}
        | dict(patients_in_sheet or {}),
    )
    rows = [_row(verdict, patients[verdict.case], task) for verdict in found]
    types = dict.fromkeys(task.label_structures, "Int64") | {"usable": bool}
    return pd.DataFrame(rows, columns=manifest_columns(task)).astype(types)


def mark_duplicate_cases(results: Sequence[ValidationResult]) -> list[ValidationResult]:
    """The verdicts, sorted by case as they come, with the problem `duplicate_case` in usable cases of equal images.

    Where their masks are equal too, the first case stays; where not, none does, since one mask must be wrong.
    """
    usable = sorted((verdict for verdict in results if verdict.usable), key=_image_digests)
    dropped = {}
    for _, group in groupby(usable, key=_image_digests):
        twins = list(group)
        masks_agree = len({verdict.facts["tumour_crc32"] for verdict in twins}) == 1
        for verdict in twins[1:] if masks_agree else twins if len(twins) > 1 else []:
            others = ", ".join(twin.case for twin in twins if twin is not verdict)
            message = (
                f"{verdict.case} has the images of {others} and the same mask; {twins[0].case} is used"
                if masks_agree
                else f"{verdict.case} has the images of {others} but another mask; remove the wrong one"
            )
            finding = Issue("duplicate_case", verdict.case, message)
            dropped[verdict.case] = replace(verdict, usable=False, problems=(*verdict.problems, finding))
    return [dropped.get(verdict.case, verdict) for verdict in results]


def write_manifest(path: Path, table: pd.DataFrame) -> None:
    """Write the table as TSV; `usable` is `true` or `false`, what is unknown is empty."""
    written = table.assign(usable=table["usable"].map({True: "true", False: "false"}))
    write_table(path, written)


def read_manifest(path: Path) -> pd.DataFrame:
    """The table that `write_manifest` wrote. Raises UserError where the file is no manifest."""
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
        raise UserError(f"{path}: this is no manifest ({error}); delete the file and run again") from None


def usable_patients(table: pd.DataFrame) -> dict[str, str]:
    """The patient of each usable case of a manifest."""
    usable = table[table["usable"]]
    return dict(zip(usable["case"], usable["patient"], strict=True))


def summary_lines(table: pd.DataFrame, path: Path, max_lines: int = 20) -> list[Message]:
    """What a person wants to read of a manifest at `path`: how many cases are usable, and why the others are not."""
    dropped = table[~table["usable"]]
    count = f"{format_part(len(table) - len(dropped), len(table), 'case')} usable"
    if dropped.empty:
        return [count]
    lines = [f"{row.case}: {row.problems}: {row.detail}" for row in dropped.head(max_lines).itertuples()]
    rest: list[Message] = [f"and {len(dropped) - max_lines} more: see {path}"] if len(dropped) > max_lines else []
    return [f"{count}; {len(dropped)} dropped:", *(f"  {line}" for line in lines + rest)]


def _row(verdict: ValidationResult, patient: str, task: Task) -> dict[str, Any]:
    facts = verdict.facts
    return {
        "case": verdict.case,
        "patient": patient,
        "usable": verdict.usable,
        "problems": _join_codes(verdict.problems),
        "detail": _one_line(verdict.reasons()),
        "warnings": _join_codes(verdict.warnings),
        "channels": ",".join(name for name in task.channel_names if name in facts["files"]),
        "convention": facts.get("convention") or "",
        "shape": "x".join(map(str, facts.get("shape", []))),
        "spacing": "x".join(f"{edge:g}" for edge in facts.get("spacing", [])),
        **{count: facts.get(count) for count in task.label_structures},
        "not_understood": abbreviate(facts.get("not_understood", ()), _MAX_NAMES),
        "mask_file": facts["files"].get("seg", {}).get("path", ""),
        "other_tasks": ",".join(facts.get("other_tasks", [])),
    }


def _image_digests(verdict: ValidationResult) -> tuple[Any, ...]:
    files = verdict.facts["files"]
    return (verdict.facts["shape"], [(role, files[role]["sample_digest"]) for role in sorted(files) if role != "seg"])


def _join_codes(findings: Iterable[Issue]) -> str:
    return ",".join(dict.fromkeys(finding.code for finding in findings))


def _one_line(messages: Iterable[str]) -> str:
    return " ".join(" | ".join(messages).split())
