"""Alerts at the top of the report: what readers must not overlook."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tumorseg.formatting import format_count
from tumorseg.training.fold_results import FoldResult


@dataclass(frozen=True)
class Alert:
    """Something that a reader must not overlook. section: the anchor of the section with the details."""

    text: str
    section: str


def never_predicted(names: Sequence[str]) -> list[Alert]:
    """Structures that the references have and no prediction has."""
    return [
        Alert(f"Never predicted: {name}. The references have it, and it is missed in every case.", "scores")
        for name in names
    ]


def training(folds: Sequence[FoldResult]) -> list[Alert]:
    """Checkpoints that were refused, steps that came to nothing, and models chosen by the cases they are scored on."""
    alerts = []
    for fold in folds:
        alerts += [
            Alert(
                f"Fold {fold.fold}: the checkpoint of epoch {refused.epoch} was refused ({', '.join(refused.codes)}); "
                f"the model is that of epoch {fold.chosen}.",
                "refused",
            )
            for refused in fold.refused
        ]
        skipped = int(fold.history["nonfinite_steps"].sum())
        if skipped:
            steps = f"{skipped} of {format_count(int(fold.history['steps'].sum()), 'step')}"
            alerts.append(Alert(f"Fold {fold.fold}: the loss of {steps} was not finite; they were skipped.", "history"))
    if any(fold.choose == "best" for fold in folds):
        alerts.append(
            Alert(
                "The model was chosen by its Dice on the very cases that it is scored on (checkpoint.select: best), so "
                "the scores are optimistic.",
                "training",
            )
        )
    return alerts


def changed_masks(predictions: Sequence[dict[str, Any]]) -> list[Alert]:
    """What post-processing made of the masks, and how many were not predicted at once.

    predictions: of each fold, how its masks came about.
    """
    cases = [of_case for record in predictions for of_case in record["cases"].values()]
    totals = {step: sum(of_case["changed"][step] for of_case in cases) for step in cases[0]["changed"]} if cases else {}
    steps = ", ".join(
        f"{step.replace('_', ' ')} {format_count(voxels, 'voxel')}" for step, voxels in totals.items() if voxels
    )
    alerts = []
    if steps:
        alerts.append(Alert(f"Post-processing changed the masks before they were scored: {steps}.", "configuration"))
    windowed = sum(of_case["windowed"] for of_case in cases)
    if windowed:
        alerts.append(Alert(f"Predicted in windows, not at once: {format_count(windowed, 'case')}.", "configuration"))
    return alerts


def cohort(found: int, dropped: int, warned: int) -> list[Alert]:
    """Cases that were dropped, and cases used in spite of something unusual."""
    alerts = []
    if dropped:
        alerts.append(Alert(f"{dropped:,} of {format_count(found, 'case')} dropped.", "dropped"))
    if warned:
        alerts.append(Alert(f"Used in spite of something unusual: {format_count(warned, 'case')}.", "warned"))
    return alerts


def patients(warnings: Sequence[str]) -> list[Alert]:
    """What may be wrong with patients that were found by the names of their cases, in sentences."""
    return [Alert(f"{doubt[0].upper()}{doubt[1:]}.", "cohort") for doubt in warnings]


def demo() -> Alert:
    """The cohort is none of patients."""
    return Alert(
        "This is the demo cohort: tumours drawn into the anatomy of a template. The scores say that the workflow "
        "works, and nothing of patients.",
        "configuration",
    )
