"""What the report says, computed from the results and free of any markup."""

from dataclasses import dataclass
from statistics import fmean
from typing import Any

import pandas as pd

from tumorseg.cohort.splits import Assignment, held_out, trained_on
from tumorseg.figures.folds import Fold
from tumorseg.labels import LABEL_NAMES, LABEL_STRUCTURES, REGION_NAMES, STRUCTURES
from tumorseg.pages.words import counted
from tumorseg.report.inputs import Results


@dataclass(frozen=True)
class Alert:
    """Something that a reader must not overlook. section: the anchor of the section with the details."""

    text: str
    section: str


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
class CaseFacts:
    """The Dice of one case by structure, and its mean over the three labels."""

    case: str
    fold: int
    dice: dict[str, float]
    mean_dice: float


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
    rows: list[dict[str, Any]]


def structure_name(structure: str) -> str:
    """A region or label in words, such as `WT: whole tumour` or `Label 2: oedema`."""
    if structure in REGION_NAMES:
        return f"{structure}: {REGION_NAMES[structure]}"
    (label,) = STRUCTURES[structure]
    return f"Label {label}: {LABEL_NAMES[label]}"


def gather(results: Results) -> Facts:
    """Compute what the report says."""
    manifest, summary = results.manifest, results.summary
    usable = manifest["usable"]
    dropped = _findings(manifest[~usable], "problems")
    warned = _findings(manifest[usable & (manifest["warnings"] != "")], "warnings")
    never = [structure_name(structure) for structure in summary["never_predicted"]]
    return Facts(
        found=len(manifest),
        usable=int(usable.sum()),
        patients=len({assignment.patient for assignment in results.splits}),
        alerts=_alerts(results, dropped, warned, never),
        never_predicted=never,
        dropped=dropped,
        warned=warned,
        folds=[_fold_facts(fold, results.splits) for fold in results.folds],
        scored=summary["cases"],
        confidence=summary["confidence"],
        interval=summary["interval"],
        definitions=summary["definitions"],
        structures={name: _structure_facts(name, summary["structures"][name]) for name in STRUCTURES},
        macro=summary["macro"],
        macro_with_background=summary["macro_with_background"],
        surface_tolerance=summary["surface_tolerance_mm"],
        cases=_case_facts(results.scores),
        rows=results.scores.to_dict("records"),
    )


def _alerts(results: Results, dropped: list[Finding], warned: list[Finding], never: list[str]) -> list[Alert]:
    alerts = [
        Alert(f"Never predicted: {name}. The references have it, and it is missed in every case.", "scores")
        for name in never
    ]
    for fold in results.folds:
        alerts += [
            Alert(
                f"Fold {fold.fold}: the checkpoint of epoch {refused.epoch} was refused ({', '.join(refused.codes)}); "
                f"the model is that of epoch {fold.chosen}.",
                "refused",
            )
            for refused in fold.refused
        ]
    if any(fold.choose == "best" for fold in results.folds):
        alerts.append(
            Alert(
                "The model was chosen by its Dice on the very cases that it is scored on (checkpoint.choose: best), so "
                "the scores are optimistic.",
                "training",
            )
        )
    alerts += _changed_masks(results.predictions)
    found = len(results.manifest)
    if dropped:
        alerts.append(Alert(f"{len(dropped)} of {counted(found, 'case')} dropped.", "dropped"))
    if warned:
        alerts.append(Alert(f"Used in spite of something unusual: {counted(len(warned), 'case')}.", "warned"))
    return alerts


def _changed_masks(predictions: list[dict[str, Any]]) -> list[Alert]:
    """What post-processing made of the masks, and how many were not predicted at once."""
    cases = [of_case for record in predictions for of_case in record["cases"].values()]
    totals = {step: sum(of_case["changed"][step] for of_case in cases) for step in cases[0]["changed"]} if cases else {}
    steps = ", ".join(
        f"{step.replace('_', ' ')} {counted(voxels, 'voxel')}" for step, voxels in totals.items() if voxels
    )
    alerts = (
        [Alert(f"Post-processing changed the masks before they were scored: {steps}.", "configuration")]
        if steps
        else []
    )
    windowed = sum(of_case["windowed"] for of_case in cases)
    if windowed:
        alerts.append(Alert(f"Predicted in windows, not at once: {counted(windowed, 'case')}.", "configuration"))
    return alerts


def _findings(rows: pd.DataFrame, column: str) -> list[Finding]:
    return [
        Finding(row["case"], tuple(row[column].split(",")), tuple(row["detail"].split(" | ")))
        for row in rows.to_dict("records")
    ]


def _fold_facts(fold: Fold, splits: list[Assignment]) -> FoldFacts:
    return FoldFacts(fold, trained=len(trained_on(splits, fold.fold)), held_out=len(held_out(splits, fold.fold)))


def _structure_facts(structure: str, content: dict[str, Any]) -> StructureFacts:
    return StructureFacts(
        name=structure_name(structure),
        scores=content["scores"],
        lesions=(content["lesions_found"], content["lesions_missed"], content["lesions_false"]),
        empty_reference=content["empty_reference"],
        empty_prediction=content["empty_prediction"],
        both_empty=content["both_empty"],
    )


def _case_facts(scores: pd.DataFrame) -> list[CaseFacts]:
    return [
        CaseFacts(
            case=str(case),
            fold=int(rows["fold"].iloc[0]),
            dice=(dice := dict(zip(rows["region"], rows["dice"].astype(float), strict=True))),
            mean_dice=fmean(dice[label] for label in LABEL_STRUCTURES),
        )
        for case, rows in scores.groupby("case")
    ]
