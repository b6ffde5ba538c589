"""What the report says, computed from the results and free of any markup."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from tumorseg.cohort.splits import Assignment, held_out, trained_on
from tumorseg.cohort.visits import doubts
from tumorseg.figures.folds import Fold
from tumorseg.provenance.run import DataFacts, data_facts
from tumorseg.report import alerts
from tumorseg.report.alerts import Alert
from tumorseg.report.cases import CaseFacts, case_facts
from tumorseg.report.inputs import Results
from tumorseg.task import Task


@dataclass(frozen=True)
class Finding:
    """What is known of a case folder. codes: of its problems or warnings. messages: of the problems, in full."""

    case: str
    codes: tuple[str, ...]
    messages: tuple[str, ...]


@dataclass(frozen=True)
class FoldFacts:
    """A fold and how many cases it was trained and validated on."""

    fold: Fold
    trained: int
    held_out: int


@dataclass(frozen=True)
class StructureFacts:
    """The scores of a region or label over all cases. scores: by name, as in summary.json.

    lesions: how many of all cases together were found, were missed, and are false.
    """

    name: str
    scores: dict[str, dict[str, float]]
    lesions: tuple[int, int, int]
    empty_reference: int
    empty_prediction: int
    both_empty: int


@dataclass(frozen=True)
class Facts:
    """All that the page and the summary at the terminal say."""

    found: int
    usable: int
    patients: int
    alerts: list[Alert]
    never_predicted: list[str]
    dropped: list[Finding]
    warned: list[Finding]
    folds: list[FoldFacts]
    scored: int
    confidence: float
    interval: str
    definitions: dict[str, str]
    structures: dict[str, StructureFacts]
    macro: dict[str, dict[str, Any]]
    macro_with_background: dict[str, dict[str, Any]]
    surface_tolerance: float
    cases: list[CaseFacts]
    data: DataFacts


def structure_name(structure: str, task: Task) -> str:
    """A region or label in words, such as `WT: whole tumour` or `Label 2: oedema`."""
    name = structure if structure in task.region_labels else structure.capitalize().replace("_", " ")
    return f"{name}: {task.structure_titles[structure]}"


def gather(results: Results, configuration: Mapping[str, Any], task: Task, *, by_name: bool) -> Facts:
    """Compute what the report says. configuration: all its sections. by_name: whether patients go by names of cases."""
    manifest, summary = results.manifest, results.summary
    usable = manifest["usable"]
    dropped = _findings(manifest[~usable], "problems")
    warned = _findings(manifest[usable & (manifest["warnings"] != "")], "warnings")
    never = [structure_name(structure, task) for structure in summary["never_predicted"]]
    patients = {assignment.case: assignment.patient for assignment in results.splits}
    return Facts(
        found=len(manifest),
        usable=int(usable.sum()),
        patients=len(set(patients.values())),
        alerts=[
            *([alerts.demo()] if configuration["demo"] else []),
            *alerts.never_predicted(never),
            *alerts.training(results.folds),
            *alerts.changed_masks(results.predictions),
            *alerts.cohort(len(manifest), len(dropped), len(warned)),
            *alerts.patients(doubts(patients) if by_name else []),
        ],
        never_predicted=never,
        dropped=dropped,
        warned=warned,
        folds=[_fold_facts(fold, results.splits) for fold in results.folds],
        scored=summary["cases"],
        confidence=summary["confidence"],
        interval=summary["interval"],
        definitions=summary["definitions"],
        structures={
            name: _structure_facts(structure_name(name, task), summary["structures"][name]) for name in task.structures
        },
        macro=summary["macro"],
        macro_with_background=summary["macro_with_background"],
        surface_tolerance=summary["surface_tolerance_mm"],
        cases=case_facts(results.scores, patients, task),
        data=data_facts(results.verdicts, set(manifest.loc[usable, "case"])),
    )


def _findings(rows: pd.DataFrame, column: str) -> list[Finding]:
    return [
        Finding(row["case"], tuple(row[column].split(",")), tuple(row["detail"].split(" | ")))
        for row in rows.to_dict("records")
    ]


def _fold_facts(fold: Fold, splits: list[Assignment]) -> FoldFacts:
    return FoldFacts(fold, trained=len(trained_on(splits, fold.fold)), held_out=len(held_out(splits, fold.fold)))


def _structure_facts(name: str, content: dict[str, Any]) -> StructureFacts:
    return StructureFacts(
        name=name,
        scores=content["scores"],
        lesions=(content["lesions_found"], content["lesions_missed"], content["lesions_false"]),
        empty_reference=content["empty_reference"],
        empty_prediction=content["empty_prediction"],
        both_empty=content["both_empty"],
    )
