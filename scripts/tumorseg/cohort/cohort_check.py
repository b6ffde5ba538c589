"""Check the cohort as a whole: expected number of usable cases, one label convention, one task."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pandas as pd

from tumorseg.cohort.layouts.listing import abbreviate
from tumorseg.cohort.manifest import usable_patients
from tumorseg.cohort.patients import patient_warnings
from tumorseg.errors import Message, UserError
from tumorseg.formatting import format_count
from tumorseg.task import Task

_MAX_OTHER_TASK_FRACTION: Final = 1 / 20
"""Part of the cases that may speak for another task before the cohort is taken for one of that task."""


def check_cohort(
    table: pd.DataFrame,
    *,
    manifest_path: Path,
    task: Task,
    labels: str,
    expected_usable: int | None,
    patient: str | None = None,
) -> dict[str, Any]:
    """Facts of a cohort that holds together, from its manifest, which stands in the file `path`.

    patient: `cohort.patient`, null where patients go by the names of cases. Returns `usable` and `dropped` (cases),
    `patients`, `doubts` about the masks and the patients (see `visits.doubts`), `convention` (one of the task's,
    "mixed", or None where no mask tells them apart) and `reasons` (dropped cases for each problem code).
    Raises UserError where more than one case in twenty speaks for another task, where no case is usable, where not
    `expected_usable` of them are, or where masks of several conventions meet and `labels` is "auto".
    """
    usable = table[table["usable"]]
    codes = Counter(code for problems in table.loc[~table["usable"], "problems"] for code in problems.split(","))
    reasons = dict(sorted(codes.items()))
    dropped = len(table) - len(usable)
    why = ", ".join(f"{code} {count}" for code, count in reasons.items())
    examples = {
        convention: usable.loc[usable["convention"] == convention, "mask_file"].iloc[0]
        for convention in task.conventions
        if (usable["convention"] == convention).any()
    }
    _raise_if_other_task(table, task, manifest_path, mixed=len(examples) > 1)
    if usable.empty:
        raise UserError(
            f"none of the {len(table)} cases is usable ({why}); {manifest_path} names what is wrong with each"
        )
    if expected_usable is not None and len(usable) != expected_usable:
        raise UserError(
            f"cohort.expected_usable: {format_count(len(usable), 'usable case')}, not {expected_usable}; {dropped} dropped"
            f"{f' ({why})' if why else ''}; see {manifest_path} for their reasons, then mend the data or change the number"
        )
    if len(examples) > 1 and labels == "auto":
        raise UserError(
            f"cohort.labels: the masks write {_describe_conventions(examples, task)}; if the cohort is meant to have both kinds, "
            "set labels: mixed; otherwise remove or convert those of one kind"
        )
    patients = usable_patients(table)
    return {
        "usable": len(usable),
        "dropped": dropped,
        "patients": len(set(patients.values())),
        "doubts": [
            *_mixed_convention_warnings(examples, task),
            *_exchanged_label_warnings(usable, task),
            *(patient_warnings(patients) if patient is None else []),
        ],
        "convention": "mixed" if len(examples) > 1 else next(iter(examples), None),
        "reasons": reasons,
    }


def _raise_if_other_task(table: pd.DataFrame, task: Task, manifest_path: Path, *, mixed: bool) -> None:
    """Raise UserError where so many cases speak for another task that the cohort is one of that task.

    mixed: whether usable masks of several conventions meet. A mask that has the values of both then speaks for one task
    with all of them.
    """
    speaking = table[table["other_tasks"] != ""]
    count = len(speaking)
    both = mixed and speaking["problems"].str.contains("bad_label").any()
    if (
        not (count and count == len(table))
        and not (count >= 2 and count > _MAX_OTHER_TASK_FRACTION * len(table))
        and not both
    ):
        return
    votes = Counter(name for names in speaking["other_tasks"] for name in names.split(","))
    most = max(votes.values())
    likely = " or ".join(name for name, number in votes.items() if number == most)
    raise UserError(
        f"cohort.task: cases of another task than {task.name} seem to be among these: {count} of {len(table)} "
        f"({abbreviate(speaking['case'])}); set cohort.task: {likely}, or, if you are sure, say in cohort.label_map what each "
        f"value of the masks means; {manifest_path} says what speaks for it"
    )


def _exchanged_label_warnings(usable: pd.DataFrame, task: Task) -> list[Message]:
    """A doubt where in some masks the labels of core and oedema seem to be exchanged.

    Raises UserError where it is so in most masks, unless the user's own label map says what they mean.
    """
    exchanged = usable["warnings"].str.split(",").map(lambda codes: "labels_exchanged" in codes)
    if not exchanged.any():
        return []
    count, example = int(exchanged.sum()), usable.loc[exchanged, "mask_file"].iloc[0]
    seem: Message = (
        f"in {count} of {format_count(len(usable), 'mask')} core and oedema seem to be exchanged ({example})"
    )
    if 2 * count > len(usable) and count > 1 and task.label_map is None:
        convention = usable.loc[exchanged, "convention"].iloc[0] or next(iter(task.conventions))
        core, oedema = task.label_of("necrosis"), task.label_of("oedema")
        other = {core: oedema, oedema: core}
        meant = ", ".join(
            f"{value}: {other.get(label, label)}" for value, label in task.values(convention).items() if value
        )
        raise UserError(
            f"cohort.label_map: {seem}; if so, set label_map: {{{meant}}}; if not, set it to what each value means"
        )
    others = usable.loc[~exchanged, "mask_file"]
    meet: Message = f"; masks of two kinds seem to meet, the others as {others.iloc[0]}" if len(others) else ""
    return [f"{seem}{meet}: look at them, then convert them, or set cohort.label_map"]


def _mixed_convention_warnings(examples: Mapping[str, str], task: Task) -> list[Message]:
    return [f"the masks write {_describe_conventions(examples, task)}"] if len(examples) > 1 else []


def _describe_conventions(examples: Mapping[str, str], task: Task) -> Message:
    """How masks of several conventions write the same labels. examples: the file of a mask, by convention."""
    ways = {name: task.written(name) for name in examples}
    labels = [label for label in task.label_values if len({way[label] for way in ways.values()}) > 1]
    titles: Message = " and ".join(task.label_titles[label] for label in labels)
    kinds: list[Message] = [
        f"{' and '.join(str(way[label]) for label in labels)} in {examples[name]}" for name, way in ways.items()
    ]
    return f"{titles} as {' or '.join(kinds)}"
