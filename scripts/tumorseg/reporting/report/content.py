"""Collect the content of the report, and summarise it for the terminal."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from tumorseg.cohort.patients import patient_grouping_warnings
from tumorseg.cohort.splits import FoldAssignment, training_cases, validation_cases
from tumorseg.evaluation.reliability_summary import reliability_sentences
from tumorseg.formatting import format_count
from tumorseg.metrics.bootstrap import FEW_CASES
from tumorseg.provenance.run_facts import DataFacts, data_facts
from tumorseg.reporting.report import alerts
from tumorseg.reporting.report.alerts import Alert
from tumorseg.reporting.report.case_issues import (
    FlaggedCase,
    cases_with_warnings,
    dropped_cases,
)
from tumorseg.reporting.report.case_rows import CaseRow, case_rows
from tumorseg.reporting.report.challenge_2026 import Challenge2026, challenge_2026
from tumorseg.reporting.report.failures import Failure, worst_cases
from tumorseg.reporting.report.false_components import describe_false_components, false_components
from tumorseg.reporting.report.run_results import RunResults
from tumorseg.reporting.report.structures import structure_name
from tumorseg.reporting.shared.shared_warnings import SharedWarning, shared_warnings
from tumorseg.task import Task
from tumorseg.training.fold_results import FoldResult


@dataclass(frozen=True)
class FoldSummary:
    """A fold with its numbers of training cases and held-out cases."""

    fold: FoldResult
    trained: int
    held_out: int


@dataclass(frozen=True)
class StructureSummary:
    """The scores of a region or label over all cases.

    Attributes:
        name: its name and title.
        scores: its scores by name, as in summary.json.
        values: the scores of each case by name, in the unit of tables.
        lesions: numbers of lesions found, lesions missed and false lesions, summed over all cases.
        empty_reference: number of cases in which it is absent from the reference.
        empty_prediction: number of cases in which it is absent from the prediction.
        both_empty: number of cases in which it is absent from both.
    """

    name: str
    scores: dict[str, dict[str, float]]
    values: dict[str, tuple[float, ...]]
    lesions: tuple[int, int, int]
    empty_reference: int
    empty_prediction: int
    both_empty: int


@dataclass(frozen=True)
class ReportContent:
    """The content of the report and of its summary at the terminal.

    `few` is whether there are so few held-out cases that the page shows points instead of intervals.
    """

    found: int
    usable: int
    patients: int
    alerts: list[Alert]
    never_predicted: list[str]
    dropped: list[FlaggedCase]
    shared_warnings: list[SharedWarning]
    warned: list[FlaggedCase]
    folds: list[FoldSummary]
    scored: int
    few: bool
    confidence: float
    interval: str
    definitions: dict[str, str]
    missing_prediction: str
    structures: dict[str, StructureSummary]
    macro: dict[str, dict[str, Any]]
    macro_with_background: dict[str, dict[str, Any]]
    surface_tolerance_mm: float
    challenge_2026: Challenge2026 | None
    reliability: list[str]
    cases: list[CaseRow]
    failures: list[Failure]
    false_components: list[tuple[str, str]]
    data: DataFacts


def collect_report_content(
    results: RunResults, configuration: Mapping[str, Any], task: Task, *, patients_from_names: bool
) -> ReportContent:
    """Return the content of the report.

    Args:
        results: the results of the run.
        configuration: the configuration with all its sections.
        task: defines the channels, labels and regions.
        patients_from_names: whether patients were derived from case names.
    """
    manifest, summary, scores = results.manifest, results.summary, results.scores
    usable = manifest["usable"]
    usable_cases = set(manifest.loc[usable, "case"])
    shared = shared_warnings([result.warnings for result in results.validation_results if result.case in usable_cases])
    dropped = dropped_cases(manifest)
    warned = cases_with_warnings(manifest, shared)
    never = [structure_name(structure, task) for structure in summary["never_predicted"]]
    patients = {assignment.case: assignment.patient for assignment in results.splits}
    cases = case_rows(scores, patients, task)
    prediction = configuration["prediction"]
    spoiled = [describe_false_components(found, prediction) for found in false_components(scores, task)]
    return ReportContent(
        found=len(manifest),
        usable=int(usable.sum()),
        patients=len(set(patients.values())),
        alerts=[
            *([alerts.demo()] if configuration["demo"] else []),
            *alerts.never_predicted_alerts(never),
            *[Alert(loss, "false-components") for loss, _ in spoiled],
            *alerts.training(results.folds),
            *alerts.untrained_channels(results.predictions),
            *alerts.changed_masks(results.predictions),
            *alerts.cohort(len(manifest), len(dropped), len(warned), shared),
            *alerts.patients(patient_grouping_warnings(patients) if patients_from_names else []),
        ],
        never_predicted=never,
        dropped=dropped,
        shared_warnings=shared,
        warned=warned,
        folds=[_fold_summary(fold, results.splits) for fold in results.folds],
        scored=summary["cases"],
        few=summary["cases"] < FEW_CASES,
        confidence=summary["confidence"],
        interval=summary["interval"],
        definitions=summary["definitions"],
        missing_prediction=summary["count_definitions"]["missing prediction"],
        structures={
            name: _structure_summary(
                structure_name(name, task),
                summary["structures"][name],
                scores[scores["region"] == name],
            )
            for name in task.structures
        },
        macro=summary["macro"],
        macro_with_background=summary["macro_with_background"],
        surface_tolerance_mm=summary["surface_tolerance_mm"],
        challenge_2026=(
            None
            if results.scores_2026 is None or results.summary_2026 is None
            else challenge_2026(results.scores_2026, results.summary_2026, task)
        ),
        reliability=reliability_sentences(results.reliability, task),
        cases=cases,
        failures=worst_cases(scores, cases, task),
        false_components=spoiled,
        data=data_facts(results.validation_results, set(manifest.loc[usable, "case"])),
    )


def _fold_summary(fold: FoldResult, splits: list[FoldAssignment]) -> FoldSummary:
    return FoldSummary(
        fold, trained=len(training_cases(splits, fold.fold)), held_out=len(validation_cases(splits, fold.fold))
    )


def _structure_summary(name: str, content: dict[str, Any], rows: pd.DataFrame) -> StructureSummary:
    return StructureSummary(
        name=name,
        scores=content["scores"],
        values={score: tuple(rows[score].astype(float)) for score in content["scores"]},
        lesions=(content["lesions_found"], content["lesions_missed"], content["lesions_false"]),
        empty_reference=content["empty_reference"],
        empty_prediction=content["empty_prediction"],
        both_empty=content["both_empty"],
    )


_MAX_NAMED_CASES: Final = 10


def summary_text(content: ReportContent, report: Path) -> str:
    """Return the lines for the terminal: cases, epochs, mean Dice, warnings, and the path of the report."""
    lines = [f"Cases: {content.usable} used, {len(content.dropped)} dropped"]
    lines += [f"  {case.case}: {', '.join(case.codes)}" for case in content.dropped[:_MAX_NAMED_CASES]]
    if len(content.dropped) > _MAX_NAMED_CASES:
        lines.append(f"  and {len(content.dropped) - _MAX_NAMED_CASES} more, listed in the report")
    for fold in content.folds:
        lines += _fold_summary_lines(fold)
    lines.append(f"Mean Dice of {format_count(content.scored, 'case')}:")
    lines += [
        f"  {structure.scores['dice']['mean']:.3f}  {structure.name}" for structure in content.structures.values()
    ]
    lines += [f"WARNING: never predicted, but in the references: {name}" for name in content.never_predicted]
    lines.append(f"Report: {report}")
    return "\n".join(lines) + "\n"


def _fold_summary_lines(summary: FoldSummary) -> list[str]:
    fold = summary.fold
    lines = [
        f"Fold {fold.fold}: trained on {format_count(summary.trained, 'case')}, {summary.held_out} held out, "
        f"epoch {fold.chosen} selected ({fold.selected_by} valid checkpoint)"
    ]
    lines += [f"  REFUSED: epoch {refused.epoch}: {'; '.join(refused.messages)}" for refused in fold.refused]
    return lines
