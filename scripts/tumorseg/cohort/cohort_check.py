"""Check the cohort as a whole: expected number of usable cases, one label convention, one task."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pandas as pd

from tumorseg.cohort.layouts.listing import abbreviate
from tumorseg.cohort.manifest import usable_patients
from tumorseg.cohort.patients import patient_grouping_warnings
from tumorseg.errors import Message, UserError
from tumorseg.formatting import format_count
from tumorseg.task import Task

_MAX_OTHER_TASK_FRACTION: Final = 1 / 20
"""The run stops if more than this fraction of the cases seem to belong to another task."""


def check_cohort(
    table: pd.DataFrame,
    *,
    manifest_path: Path,
    task: Task,
    labels: str,
    expected_usable: int | None,
    patient: str | None = None,
) -> dict[str, Any]:
    """Check a cohort and summarise it.

    Args:
        table: the manifest.
        manifest_path: path of the manifest, for messages.
        task: task of the cohort.
        labels: `cohort.labels`.
        expected_usable: `cohort.expected_usable`; None accepts any number.
        patient: `cohort.patient`; None if patients are derived from the names of cases.

    Returns:
        `usable`, `dropped` and `patients` (numbers), `doubts` (warnings about masks and patients), `convention` (label
        convention of the masks: "mixed" if there are several, None if unknown) and `reasons` (number of dropped cases
        by problem code).

    Raises:
        UserError: no case is usable; their number is not `expected_usable`; more than 1 in 20 cases seem to belong to
            another task; or masks have several conventions and `labels` is "auto".
    """
    usable = table[table["usable"]]
    codes = Counter(code for problems in table.loc[~table["usable"], "problems"] for code in problems.split(","))
    reasons = dict(sorted(codes.items()))
    dropped = len(table) - len(usable)
    reasons_text = ", ".join(f"{code} {count}" for code, count in reasons.items())
    examples = {
        convention: usable.loc[usable["convention"] == convention, "mask_file"].iloc[0]
        for convention in task.conventions
        if (usable["convention"] == convention).any()
    }
    _raise_if_other_task(table, task, manifest_path, mixed=len(examples) > 1)
    if usable.empty:
        raise UserError(
            f"none of the {len(table)} cases is usable ({reasons_text}); {manifest_path} lists their problems"
        )
    if expected_usable is not None and len(usable) != expected_usable:
        raise UserError(
            f"cohort.expected_usable: {format_count(len(usable), 'usable case')}, not {expected_usable}; {dropped} "
            f"dropped{f' ({reasons_text})' if reasons_text else ''}; see {manifest_path} for the reasons, then repair "
            "the data or change the number"
        )
    if len(examples) > 1 and labels == "auto":
        raise UserError(
            f"cohort.labels: the masks have {_describe_conventions(examples, task)}; to use both, set cohort.labels to "
            "mixed; otherwise remove or convert the masks of one kind"
        )
    patients = usable_patients(table)
    return {
        "usable": len(usable),
        "dropped": dropped,
        "patients": len(set(patients.values())),
        "doubts": [
            *_mixed_convention_warnings(examples, task),
            *_exchanged_label_warnings(usable, task),
            *(patient_grouping_warnings(patients) if patient is None else []),
        ],
        "convention": "mixed" if len(examples) > 1 else next(iter(examples), None),
        "reasons": reasons,
    }


def _raise_if_other_task(table: pd.DataFrame, task: Task, manifest_path: Path, *, mixed: bool) -> None:
    """Check that the cohort does not seem to belong to another task.

    Args:
        table: the manifest.
        task: task of the cohort.
        manifest_path: path of the manifest, for messages.
        mixed: whether usable masks have several conventions. One mask with the values of two conventions then means
            that all belong to one task with all of these values.

    Raises:
        UserError: more than 1 in 20 cases seem to belong to another task, or all masks together have values of one.
    """
    suspects = table[table["other_tasks"] != ""]
    count = len(suspects)
    has_all_values = mixed and suspects["problems"].str.contains("bad_label").any()
    if (
        not (count and count == len(table))
        and not (count >= 2 and count > _MAX_OTHER_TASK_FRACTION * len(table))
        and not has_all_values
    ):
        return
    votes = Counter(name for names in suspects["other_tasks"] for name in names.split(","))
    most = max(votes.values())
    likely = " or ".join(name for name, number in votes.items() if number == most)
    raise UserError(
        f"cohort.task: {count} of {len(table)} cases ({abbreviate(suspects['case'])}) seem to belong to another task "
        f"than {task.name}; set cohort.task: {likely}, or, if you are sure, define the meaning of each mask value in "
        f"cohort.label_map; {manifest_path} gives the reasons"
    )


def _exchanged_label_warnings(usable: pd.DataFrame, task: Task) -> list[Message]:
    """Warn if the labels of core and oedema seem to be exchanged in some masks.

    Args:
        usable: rows of the usable cases in the manifest.
        task: task of the cohort.

    Returns:
        At most one warning.

    Raises:
        UserError: the labels seem to be exchanged in most masks, and the user has set no label map.
    """
    exchanged = usable["warnings"].str.split(",").map(lambda codes: "labels_exchanged" in codes)
    if not exchanged.any():
        return []
    count, example = int(exchanged.sum()), usable.loc[exchanged, "mask_file"].iloc[0]
    finding: Message = (
        f"core and oedema seem to be exchanged in {count} of {format_count(len(usable), 'mask')} ({example})"
    )
    if 2 * count > len(usable) and count > 1 and task.label_map is None:
        convention = usable.loc[exchanged, "convention"].iloc[0] or next(iter(task.conventions))
        core, oedema = task.label_of("necrosis"), task.label_of("oedema")
        other = {core: oedema, oedema: core}
        label_map = ", ".join(
            f"{value}: {other.get(label, label)}" for value, label in task.labels_by_value(convention).items() if value
        )
        raise UserError(
            f"cohort.label_map: {finding}; if so, set label_map: {{{label_map}}}; if not, define each value in it"
        )
    others = usable.loc[~exchanged, "mask_file"]
    rest: Message = f"; the other masks seem correct ({others.iloc[0]})" if len(others) else ""
    return [f"{finding}{rest}: check these masks, then convert them, or set cohort.label_map"]


def _mixed_convention_warnings(examples: Mapping[str, str], task: Task) -> list[Message]:
    return [f"the masks have {_describe_conventions(examples, task)}"] if len(examples) > 1 else []


def _describe_conventions(examples: Mapping[str, str], task: Task) -> Message:
    """Describe how the conventions differ. `examples` has the file of one mask for each convention."""
    written = {name: task.values_by_label(name) for name in examples}
    labels = [label for label in task.label_values if len({values[label] for values in written.values()}) > 1]
    titles: Message = " and ".join(task.label_titles[label] for label in labels)
    kinds: list[Message] = [
        f"{' and '.join(str(values[label]) for label in labels)} in {examples[name]}"
        for name, values in written.items()
    ]
    return f"{titles} as {' or '.join(kinds)}"
