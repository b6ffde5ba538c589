"""The manifest: one row per case folder, what is usable of it, and why the rest is not."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import pandas as pd

from tumorseg.cohort.layouts.listing import few
from tumorseg.cohort.patients import patients_of
from tumorseg.cohort.verdict import Finding, Verdict
from tumorseg.counts import part_is
from tumorseg.errors import Message, UserError
from tumorseg.tables import read_table, write_table
from tumorseg.task import Task

COLUMNS: Final = (
    *("case", "patient", "usable", "problems", "detail", "warnings", "channels", "convention", "shape", "spacing"),
    *("not_understood", "mask_file", "other_tasks"),
)
"""The columns that every manifest has.

problems, warnings: codes, comma-separated. detail: the messages of the problems. channels: those of which there is an
image that can be read, comma-separated. shape: 240x240x155. spacing: 1x1x1 (mm). not_understood: names
of files that may be images of the case and take no part, comma-separated. mask_file: relative to the root.
other_tasks: the names of those that the case may belong to instead, comma-separated; see `other_task.signs`.
"""
_MOST_NAMES: Final = 20
"""Names of files in a cell."""
_COUNT: Final = re.compile(r"label_\d+")
"""Columns with the voxels of a label, one for each label of the task, missing where unknown."""


def columns_of(task: Task) -> list[str]:
    """The columns of the manifest of a cohort, in order."""
    return [*COLUMNS[:-2], *task.label_structures, *COLUMNS[-2:]]


def manifest(
    verdicts: Iterable[Verdict],
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
    found = drop_duplicates(sorted(verdicts, key=lambda verdict: verdict.case))
    patients = patients_of(
        [verdict.case for verdict in found],
        pattern=patient_pattern,
        table=patient_table,
        wanted=[verdict.case for verdict in found if verdict.usable],
        given={verdict.case: verdict.facts["patient"] for verdict in found if "patient" in verdict.facts}
        | dict(patients_in_sheet or {}),
    )
    rows = [_row(verdict, patients[verdict.case], task) for verdict in found]
    types = dict.fromkeys(task.label_structures, "Int64") | {"usable": bool}
    return pd.DataFrame(rows, columns=columns_of(task)).astype(types)


def drop_duplicates(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """The verdicts, sorted by case as they come, with the problem `duplicate_case` in usable cases of equal images.

    Where their masks are equal too, the first case stays; where not, none does, since one mask must be wrong.
    """
    usable = sorted((verdict for verdict in verdicts if verdict.usable), key=_images_key)
    dropped = {}
    for _, group in groupby(usable, key=_images_key):
        twins = list(group)
        masks_agree = len({verdict.facts["tumour_crc32"] for verdict in twins}) == 1
        for verdict in twins[1:] if masks_agree else twins if len(twins) > 1 else []:
            others = ", ".join(twin.case for twin in twins if twin is not verdict)
            message = (
                f"{verdict.case} has the images of {others} and the same mask; {twins[0].case} is used"
                if masks_agree
                else f"{verdict.case} has the images of {others} but another mask; remove the wrong one"
            )
            finding = Finding("duplicate_case", verdict.case, message)
            dropped[verdict.case] = replace(verdict, usable=False, problems=(*verdict.problems, finding))
    return [dropped.get(verdict.case, verdict) for verdict in verdicts]


def write_manifest(path: Path, table: pd.DataFrame) -> None:
    """Write the table as TSV; `usable` is `true` or `false`, what is unknown is empty."""
    written = table.assign(usable=table["usable"].map({True: "true", False: "false"}))
    write_table(path, written)


def read_manifest(path: Path) -> pd.DataFrame:
    """The table that `write_manifest` wrote. Raises UserError where the file is no manifest."""
    try:
        table = read_table(path)
        missing = [column for column in COLUMNS if column not in table]
        if missing:
            raise UserError(f"{path}: the manifest has no column {missing[0]}; delete the file and run again")
        if not table["usable"].isin(("true", "false")).all():
            raise ValueError("usable is neither true nor false")
        table["usable"] = table["usable"] == "true"
        counts = [column for column in table if _COUNT.fullmatch(column)]
        return table.assign(**{column: pd.to_numeric(table[column]).astype("Int64") for column in counts})
    except (ValueError, TypeError) as error:
        raise UserError(f"{path}: this is no manifest ({error}); delete the file and run again") from None


def usable_patients(table: pd.DataFrame) -> dict[str, str]:
    """The patient of each usable case of a manifest."""
    usable = table[table["usable"]]
    return dict(zip(usable["case"], usable["patient"], strict=True))


def summary(table: pd.DataFrame, path: Path, most: int = 20) -> list[Message]:
    """What a person wants to read of a manifest at `path`: how many cases are usable, and why the others are not."""
    dropped = table[~table["usable"]]
    count = f"{part_is(len(table) - len(dropped), len(table), 'case')} usable"
    if dropped.empty:
        return [count]
    lines = [f"{row.case}: {row.problems}: {row.detail}" for row in dropped.head(most).itertuples()]
    rest: list[Message] = [f"and {len(dropped) - most} more: see {path}"] if len(dropped) > most else []
    return [f"{count}; {len(dropped)} dropped:", *(f"  {line}" for line in lines + rest)]


def _row(verdict: Verdict, patient: str, task: Task) -> dict[str, Any]:
    facts = verdict.facts
    return {
        "case": verdict.case,
        "patient": patient,
        "usable": verdict.usable,
        "problems": _codes(verdict.problems),
        "detail": _one_line(verdict.reasons()),
        "warnings": _codes(verdict.warnings),
        "channels": ",".join(name for name in task.channel_names if name in facts["files"]),
        "convention": facts.get("convention") or "",
        "shape": "x".join(map(str, facts.get("shape", []))),
        "spacing": "x".join(f"{edge:g}" for edge in facts.get("spacing", [])),
        **{count: facts.get(count) for count in task.label_structures},
        "not_understood": few(facts.get("not_understood", ()), _MOST_NAMES),
        "mask_file": facts["files"].get("seg", {}).get("path", ""),
        "other_tasks": ",".join(facts.get("other_tasks", [])),
    }


def _images_key(verdict: Verdict) -> tuple[Any, ...]:
    files = verdict.facts["files"]
    return (verdict.facts["shape"], [(role, files[role]["sample_digest"]) for role in sorted(files) if role != "seg"])


def _codes(findings: Iterable[Finding]) -> str:
    return ",".join(dict.fromkeys(finding.code for finding in findings))


def _one_line(messages: Iterable[str]) -> str:
    return " ".join(" | ".join(messages).split())
