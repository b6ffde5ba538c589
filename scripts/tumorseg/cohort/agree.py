"""Is the cohort as a whole what its user means it to be?"""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from tumorseg.cohort.manifest import usable_patients
from tumorseg.cohort.visits import doubts
from tumorseg.counts import counted
from tumorseg.errors import UserError
from tumorseg.task import Task


def check_cohort(
    table: pd.DataFrame,
    *,
    path: Path,
    task: Task,
    labels: str,
    expected_usable: int | None,
    patient: str | None = None,
) -> dict[str, Any]:
    """Facts of a cohort that holds together, from its manifest, which stands in the file `path`.

    patient: `cohort.patient`, null where patients go by the names of cases. Returns `usable` and `dropped` (cases),
    `patients`, `doubts` about them (see `visits.doubts`), `convention` (one of the task's, "mixed", or None
    where no mask tells them apart) and `reasons` (dropped cases for each problem code).
    Raises UserError where no case is usable, where not `expected_usable` of them are, or where masks of both
    conventions meet and `labels` is "auto".
    """
    usable = table[table["usable"]]
    codes = Counter(code for problems in table.loc[~table["usable"], "problems"] for code in problems.split(","))
    reasons = dict(sorted(codes.items()))
    dropped = len(table) - len(usable)
    why = ", ".join(f"{code} {count}" for code, count in reasons.items())
    if usable.empty:
        raise UserError(f"none of the {len(table)} cases is usable ({why}); {path} names what is wrong with each")
    if expected_usable is not None and len(usable) != expected_usable:
        raise UserError(
            f"cohort.expected_usable: {counted(len(usable), 'usable case')}, not {expected_usable}; {dropped} dropped"
            f"{f' ({why})' if why else ''}; see {path} for their reasons, then mend the data or change the number"
        )
    examples = {
        convention: usable.loc[usable["convention"] == convention, "mask_file"].iloc[0]
        for convention in task.conventions
        if (usable["convention"] == convention).any()
    }
    if len(examples) > 1 and labels == "auto":
        raise UserError(
            f"cohort.labels: the masks write {_kinds(examples, task)}; if the cohort is meant to have both kinds, "
            "set labels: mixed; otherwise remove or convert those of one kind"
        )
    convention = "mixed" if len(examples) > 1 else next(iter(examples), None)
    patients = usable_patients(table)
    return {
        "usable": len(usable),
        "dropped": dropped,
        "patients": len(set(patients.values())),
        "doubts": doubts(patients) if patient is None else [],
        "convention": convention,
        "reasons": reasons,
    }


def _kinds(examples: Mapping[str, str], task: Task) -> str:
    """How masks of several conventions write the same labels. examples: the file of a mask, by convention."""
    ways = {name: task.written(name) for name in examples}
    labels = [label for label in task.label_values if len({way[label] for way in ways.values()}) > 1]
    titles = " and ".join(task.label_titles[label] for label in labels)
    kinds = (f"{' and '.join(str(way[label]) for label in labels)} in {examples[name]}" for name, way in ways.items())
    return f"{titles} as {' or '.join(kinds)}"
