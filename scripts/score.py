"""Score masks of any tool against references: one folder, or several folders that are compared."""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tumorseg.cli import console
from tumorseg.cli.console import logger
from tumorseg.cohort.patients import assign_patients
from tumorseg.evaluation.hints import find_hints
from tumorseg.evaluation.mask_validation import check_references, validate_references
from tumorseg.evaluation.masks import MaskReadOptions
from tumorseg.evaluation.matching import match_folders
from tumorseg.evaluation.prediction_folder import (
    MaskFolders,
    PairedPredictions,
    log_reference_notes,
    pair_predictions,
    score_pairs,
    score_pairs_2026,
)
from tumorseg.evaluation.scoring import overview_lines, remove_stale_outputs, write_scores
from tumorseg.evaluation.scoring_2026 import write_scores_2026
from tumorseg.io.files import write_json
from tumorseg.io.tables import write_table
from tumorseg.io.volume_limits import DEFAULT_MAX_VOXELS
from tumorseg.metrics.comparison import compare, comparison_table
from tumorseg.metrics.records_2026 import METRICS_2026
from tumorseg.task import add_task_option


def command_line() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--references", type=Path, required=True, help="folder of reference masks")
    parser.add_argument("--predictions", type=Path, nargs="+", required=True, help="folders of predicted masks")
    parser.add_argument("--settings", type=json.loads, required=True, help="`evaluation` section, as JSON")
    add_task_option(parser)
    parser.add_argument("--labels", default="auto", help="label convention of the references, see `cohort.labels`")
    parser.add_argument(
        "--label-maps", type=_label_maps, help="label map of each folder of predictions, or null, as JSON"
    )
    parser.add_argument("--patient", help="regular expression for the patient in the name of a case")
    parser.add_argument("--patient-table", type=Path, nargs="?", help="table with the patient of each case")
    parser.add_argument("--max-voxels", type=int, default=DEFAULT_MAX_VOXELS, help="maximum voxels of a mask")
    parser.add_argument("--processes", type=int, default=1, help="number of cases to score in parallel")
    parser.add_argument(
        "--scores", type=Path, nargs="+", required=True, help="table of scores to write for each folder, CSV"
    )
    parser.add_argument(
        "--summaries", type=Path, nargs="+", required=True, help="summary to write for each folder, JSON"
    )
    parser.add_argument(
        "--scores-2026",
        type=Path,
        nargs="*",
        default=[],
        help="table of scores as in BraTS 2025 and 2026 to write for each folder, CSV; without it none",
    )
    parser.add_argument("--summaries-2026", type=Path, nargs="*", default=[], help="summary of each of these, JSON")
    parser.add_argument("--comparison", type=Path, nargs="*", help="comparison to write, CSV and JSON")
    parser.add_argument("--clear", type=Path, help="folder from which to delete the scores of earlier runs")
    parser.add_argument("--log", type=Path, help="log file")
    return parser


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line of the rule score."""
    options = command_line().parse_args(arguments)
    with console.job("score", options.log):
        settings, processes = options.settings, options.processes
        matches = match_folders(options.references, options.predictions, options.task)
        files = {pair.case: pair.reference for folder_matches in matches.values() for pair in folder_matches.pairs}
        reference_options = MaskReadOptions(options.task, options.labels, max_voxels=options.max_voxels)
        grids = validate_references(options.references, files, reference_options, processes)
        check_references({files[case]: grid for case, grid in grids.items()}, reference_options, options.references)
        log_reference_notes(options.references, files, grids)
        patients = assign_patients(files, pattern=options.patient, table=options.patient_table)
        maps = options.label_maps or [None] * len(matches)
        bootstrap_settings = {key: settings[key] for key in ("confidence", "bootstrap_samples", "seed")}
        tables, summaries, paired_folders = {}, {}, {}
        outputs = zip(maps, options.scores, options.summaries, strict=True)
        for (name, folder_matches), (label_map, scores, summary) in zip(matches.items(), outputs, strict=True):
            prediction_options = reference_options.for_predictions(label_map)
            folders = MaskFolders(options.references, folder_matches.folder, reference_options, prediction_options)
            paired = paired_folders[name] = pair_predictions(folder_matches, folders, grids, processes)
            tables[name], confusions = score_pairs(
                paired.pairs,
                paired.folders,
                surface_tolerance_mm=settings["surface_tolerance_mm"],
                processes=processes,
            )
            hints = find_hints(paired, tables[name], confusions, several=len(matches) > 1, threads=processes)
            missing = [pair.case for pair in paired.pairs if pair.prediction is None]
            summaries[name] = write_scores(
                scores,
                tables[name],
                summary,
                confusions,
                settings,
                task=options.task,
                missing=missing,
                extra_summary={**paired.summary, "hints": hints},
                patients=patients,
            )
        result = options.summaries[0]
        if options.comparison:
            table, result = options.comparison
            comparison = compare(tables, **bootstrap_settings, task=options.task, patients=patients)
            write_table(table, comparison_table(comparison))
            write_json(result, comparison)
        if options.clear:
            written = [*options.scores, *options.summaries, *options.scores_2026, *options.summaries_2026]
            written += options.comparison or []
            for stale in remove_stale_outputs(options.clear, written):
                logger.info("deleted the scores of an earlier run: %s", stale)
        for line in overview_lines(summaries, options.task):
            logger.info("%s", line)
        if options.scores_2026:
            write_all_2026(paired_folders, options, bootstrap_settings, patients)
        logger.info("Scores: %s", result.resolve())


def write_all_2026(
    paired_folders: Mapping[str, PairedPredictions],
    options: argparse.Namespace,
    bootstrap_settings: Mapping[str, Any],
    patients: Mapping[str, str],
) -> None:
    """Score all folders as in BraTS 2025 and 2026, write their tables and summaries, and log an overview.

    Args:
        paired_folders: the pairs of each folder.
        options: the parsed command line.
        bootstrap_settings: settings of the confidence intervals.
        patients: the patient of each case.
    """
    summaries = {}
    outputs = zip(options.scores_2026, options.summaries_2026, strict=True)
    for (name, paired), (scores, summary) in zip(paired_folders.items(), outputs, strict=True):
        summaries[name] = write_scores_2026(
            scores,
            summary,
            score_pairs_2026(paired.pairs, paired.folders, processes=options.processes),
            bootstrap_settings,
            task=options.task,
            extra_summary=paired.summary,
            patients=patients,
        )
    logger.info("as in BraTS 2025 and 2026, means over the cases with a value:")
    shown = [metric for metric in METRICS_2026 if "terminal" in metric.places]
    for line in overview_lines(summaries, options.task, shown):
        logger.info("%s", line)


def _label_maps(text: str) -> list[dict[int, int] | None]:
    """Return label maps from JSON, which has text keys only."""
    maps = json.loads(text)
    return [label_map and {int(value): label for value, label in label_map.items()} for label_map in maps]


if __name__ == "__main__":
    main()
