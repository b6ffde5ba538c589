"""Alerts at the top of the report."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tumorseg.formatting import format_count
from tumorseg.reporting.shared.shared_warnings import SharedWarning
from tumorseg.training.fold_results import FoldResult


@dataclass(frozen=True)
class Alert:
    """A sentence at the top of the report.

    Attributes:
        text: the sentence.
        section: anchor of the section with the details.
    """

    text: str
    section: str


def never_predicted_alerts(names: Sequence[str]) -> list[Alert]:
    """Return an alert for each structure that is in the references but in no prediction."""
    return [
        Alert(f"Never predicted: {name}. The references contain it, but it is missed in every case.", "scores")
        for name in names
    ]


def training(folds: Sequence[FoldResult]) -> list[Alert]:
    """Return alerts for refused checkpoints, skipped steps, and models selected by the cases they are scored on."""
    alerts = []
    for fold in folds:
        alerts += [
            Alert(
                f"Fold {fold.fold}: the checkpoint of epoch {refused.epoch} was refused ({', '.join(refused.codes)}); "
                f"the model is from epoch {fold.chosen}.",
                "refused",
            )
            for refused in fold.refused
        ]
        skipped = int(fold.history["nonfinite_steps"].sum())
        if skipped:
            steps = f"{skipped} of {format_count(int(fold.history['steps'].sum()), 'step')}"
            alerts.append(
                Alert(f"Fold {fold.fold}: the loss of {steps} was not finite; these steps were skipped.", "history")
            )
    if any(fold.selected_by == "best" for fold in folds):
        alerts.append(
            Alert(
                "The model was selected by its Dice on the cases it is scored on (checkpoint.select: best), so the "
                "scores are optimistic.",
                "training",
            )
        )
    return alerts


def untrained_channels(predictions: Sequence[dict[str, Any]]) -> list[Alert]:
    """Return an alert for held-out cases with images that their model was not trained for.

    Args:
        predictions: the prediction record of each fold; those of earlier versions do not have these cases.
    """
    cases = [case for record in predictions for case in record.get("untrained_channels", ())]
    if not cases:
        return []
    text = f"{format_count(len(cases), 'held-out case')}, such as {cases[0]}, with images that the model was not "
    return [Alert(f"{text}trained for: some are missing, or no training case had them.", "scores")]


def changed_masks(predictions: Sequence[dict[str, Any]]) -> list[Alert]:
    """Return alerts for masks changed by post-processing and for masks predicted in windows.

    Args:
        predictions: the prediction record of each fold.
    """
    cases = [case for record in predictions for case in record["cases"].values()]
    totals = {step: sum(case["changed"][step] for case in cases) for step in cases[0]["changed"]} if cases else {}
    steps = ", ".join(
        f"{step.replace('_', ' ')} {format_count(voxels, 'voxel')}" for step, voxels in totals.items() if voxels
    )
    alerts = []
    if steps:
        alerts.append(Alert(f"Post-processing changed the masks before scoring: {steps}.", "configuration"))
    windowed = sum(case["windowed"] for case in cases)
    if windowed:
        text = f"{format_count(windowed, 'case')} predicted in windows instead of as a whole volume."
        alerts.append(Alert(text, "configuration"))
    return alerts


def cohort(found: int, dropped: int, warned: int, shared: Sequence[SharedWarning]) -> list[Alert]:
    """Return alerts for dropped cases and for cases with warnings.

    Args:
        found: number of case folders.
        dropped: number of dropped cases.
        warned: number of usable cases with warnings that not all share.
        shared: the warnings that all usable cases share.
    """
    alerts = []
    if dropped:
        alerts.append(Alert(f"{dropped:,} of {format_count(found, 'case')} dropped.", "dropped"))
    alerts += [Alert(f"All usable cases: {warning.text}", "case-warnings") for warning in shared]
    if warned:
        verb = "has" if warned == 1 else "have"
        alerts.append(
            Alert(f"{format_count(warned, 'case')} {verb} {'other ' if shared else ''}warnings.", "case-warnings")
        )
    return alerts


def patients(warnings: Sequence[str]) -> list[Alert]:
    """Return an alert for each warning about patients that were derived from case names."""
    return [Alert(f"{warning[0].upper()}{warning[1:]}.", "cohort") for warning in warnings]


def demo() -> Alert:
    """Return the alert that the cohort is synthetic."""
    return Alert(
        "This is the demo cohort: synthetic tumours in the anatomy of a template. The scores show that the workflow "
        "runs. They say nothing about patients.",
        "configuration",
    )
