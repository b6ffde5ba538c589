"""Summarise how well the expected Dice and the intervals of volumes hold on the held-out cases."""

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd
from scipy.stats import binomtest

from tumorseg.formatting import format_count, format_list
from tumorseg.metrics.conformal import LEVEL, OFFSET_MM3
from tumorseg.metrics.held_out import MIN_PATIENTS
from tumorseg.task import Task

_CONFIDENCE: Final = 0.95
DEFINITION: Final = (
    f"intervals that contain the true volume of {100 * LEVEL:g} % of patients like the held-out ones (conformal "
    "prediction, Barber et al. 2021, doi:10.1214/20-AOS1965). `from_other_patients`: the interval of each held-out "
    f"case comes from all other patients; the share of covered cases is then near {100 * LEVEL:g} % by construction. "
    "`from_other_folds`: it comes from the cases of the other folds, with other models; this share is a measurement. "
    f"`low` and `high`: exact {100 * _CONFIDENCE:g} % confidence interval of the share (Clopper and Pearson 1934, "
    "doi:10.1093/biomet/26.4.404), which takes the cases as independent. `median_factor`: the median "
    "of the factor between a volume and either end of its interval, each plus 1 ml. `dice_error`: mean absolute "
    "difference between expected and true Dice; `dice_error_of_mean`: the same if the mean Dice of all cases were "
    "expected of each"
)


def reliability_summary(table: pd.DataFrame, patients: int, task: Task) -> dict[str, Any]:
    """Return the summary as plain JSON types.

    Args:
        table: see `reliability.reliability_table`.
        patients: number of held-out patients.
        task: defines the structures.
    """
    structures = {name: _structure_summary(table[table["region"] == name]) for name in task.structures}
    return {"definition": DEFINITION, "level": LEVEL, "patients": patients, "structures": structures}


def reliability_sentences(summary: Mapping[str, Any], task: Task) -> list[str]:
    """Return what the report says about the intervals and the expected Dice of the regions."""
    regions = {name: summary["structures"][name] for name in task.region_labels}
    level, patients = f"{100 * summary['level']:g} %", format_count(summary["patients"], "patient")
    if not any(region["from_other_patients"] for region in regions.values()):
        reason = f"{patients} with the same images were held out" if summary["patients"] else "no patient was held out"
        if summary["patients"] >= MIN_PATIENTS:
            reason = f"the coverage is measured from {MIN_PATIENTS + 1} patients with the same images on"
        return [
            f"Volumes of new patients get {level} intervals from {MIN_PATIENTS} held-out patients with the same images "
            f"on; here, {reason}."
        ]
    sentences = [
        f"The {level} intervals of the volumes contain the true volume of "
        f"{_coverages(regions, 'from_other_patients')}. The interval of each case comes from the other patients, so "
        f"the share is near {level} by construction."
    ]
    if any(region["from_other_folds"] for region in regions.values()):
        sentences.append(
            f"With the intervals from the cases of the other folds, it is {_coverages(regions, 'from_other_folds')}."
        )
    factors = [f"{name} {region['median_factor']:.2f}" for name, region in regions.items() if region["median_factor"]]
    sentences.append(f"Median factor between a volume and either end of its interval: {', '.join(factors)}.")
    errors = [
        f"{name} {region['dice_error']:.3f} ({region['dice_error_of_mean']:.3f})"
        for name, region in regions.items()
        if region["dice_error"] is not None
    ]
    if errors:
        sentences.append(
            "Mean error of the expected Dice (in brackets: if the mean Dice were expected of each case): "
            f"{', '.join(errors)}."
        )
    return sentences


def _coverages(regions: Mapping[str, Mapping[str, Any]], kind: str) -> str:
    texts = [
        f"{name} in {found['covered']} of {format_count(found['cases'], 'case')} (95 % confidence interval "
        f"{100 * found['low']:.0f} to {100 * found['high']:.0f} %)"
        for name, region in regions.items()
        if (found := region[kind])
    ]
    return format_list(texts)


def _structure_summary(rows: pd.DataFrame) -> dict[str, Any]:
    factors = ((rows["high_mm3"].astype(float) + OFFSET_MM3) / (rows["low_mm3"].astype(float) + OFFSET_MM3)) ** 0.5
    expected = rows.dropna(subset=["expected_dice"])
    errors = (expected["expected_dice"].astype(float) - expected["dice"]).abs()
    return {
        "cases": len(rows),
        "from_other_patients": _coverage(rows["covered"]),
        "from_other_folds": _coverage(rows["covered_from_other_folds"]),
        "median_factor": float(factors.median()) if factors.notna().any() else None,
        "dice_error": float(errors.mean()) if len(expected) else None,
        "dice_error_of_mean": float((expected["dice"] - expected["dice"].mean()).abs().mean())
        if len(expected)
        else None,
    }


def _coverage(covered: pd.Series) -> dict[str, float] | None:
    """Return the share of covered cases with its confidence interval; None if no case has an interval."""
    cases, count = int((covered != "").sum()), int((covered == "true").sum())
    if not cases:
        return None
    interval = binomtest(count, cases).proportion_ci(_CONFIDENCE, method="exact")
    low, high = float(interval.low), float(interval.high)
    return {"cases": cases, "covered": count, "share": count / cases, "low": low, "high": high}
