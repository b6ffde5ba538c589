"""Score masks of any tool against references: one folder, or several folders that are compared."""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tumorseg.cli import console
from tumorseg.cli.console import logger
from tumorseg.cohort.patients import assign_patients
from tumorseg.evaluation.comparison_lines import difference_lines, ranking_lines
from tumorseg.evaluation.disagreements import find_disagreements, read_masks, slices_of
from tumorseg.evaluation.hints import find_hints
from tumorseg.evaluation.mask_validation import check_references, validate_references
from tumorseg.evaluation.masks import MaskReadOptions
from tumorseg.evaluation.matching import check_baseline, match_folders
from tumorseg.evaluation.paper_tables import csv_table, latex_tables
from tumorseg.evaluation.prediction_folder import (
    MaskFolders,
    PairedPredictions,
    log_reference_notes,
    pair_predictions,
    score_pairs,
    score_pairs_2026,
)
from tumorseg.evaluation.score_set import ScoreSet
from tumorseg.evaluation.scoring import overview_lines, remove_stale_outputs, write_scores
from tumorseg.evaluation.scoring_2026 import write_scores_2026
from tumorseg.formatting import format_list
from tumorseg.io.files import write_json, write_text
from tumorseg.io.tables import write_table
from tumorseg.io.volume_limits import DEFAULT_MAX_VOXELS
from tumorseg.metrics.comparison import compare, comparison_table
from tumorseg.metrics.records_2026 import CHALLENGE, METRICS_2026
from tumorseg.metrics.registry import RANKED_BY, metrics
from tumorseg.reporting.scores_page.content import Picture, ScoresPage, picture
from tumorseg.reporting.scores_page.mask_viewer import PairCollector
from tumorseg.reporting.scores_page.scores_html import render_scores_page
from tumorseg.reporting.shared.page_links import existing_pages
from tumorseg.reporting.viewer.embed import embed_mask_viewer
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
    parser.add_argument("--comparison", type=Path, nargs="*", default=[], help="comparison to write, CSV and JSON")
    parser.add_argument(
        "--comparison-2026", type=Path, nargs="*", default=[], help="comparison of the scores of 2026, CSV and JSON"
    )
    parser.add_argument(
        "--baseline", nargs="?", help="name of the folder that others are compared with; without it the first"
    )
    parser.add_argument("--page", type=Path, help="page to write, HTML")
    parser.add_argument(
        "--colours", type=json.loads, default={}, help="`figures` section with the colours of the labels, as JSON"
    )
    parser.add_argument("--paper-tables", type=Path, nargs="*", default=[], help="tables to write, CSV and LaTeX")
    parser.add_argument("--clear", type=Path, help="folder from which to delete the scores of earlier runs")
    parser.add_argument("--log", type=Path, help="log file")
    return parser


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line of the rule score."""
    options = command_line().parse_args(arguments)
    with console.job("score", options.log):
        settings, processes = options.settings, options.processes
        matches = match_folders(options.references, options.predictions, options.task)
        check_baseline(options.baseline, [*matches])
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
        if options.clear:
            for stale in remove_stale_outputs(options.clear, written_files(options)):
                logger.info("deleted the scores of an earlier run: %s", stale)
        for line in overview_lines(summaries, options.task):
            logger.info("%s", line)
        comparison_settings = {**bootstrap_settings, "task": options.task, "patients": patients}
        title = "Scores in general use and of BraTS 2023"
        sets = [
            compare_and_log(
                ScoreSet("2023", title, metrics(), tables, summaries, None),
                options.comparison,
                options.baseline,
                comparison_settings,
            )
        ]
        if options.scores_2026:
            sets.append(score_2026(paired_folders, options, comparison_settings))
        if options.paper_tables:
            table, latex = options.paper_tables
            write_table(table, csv_table(sets, options.task))
            write_text(latex, latex_tables(sets, options.task))
        if options.page:
            write_page(options.page, sets, paired_folders, options)
            logger.info("Page: %s", options.page.resolve())
        result = options.comparison[1] if options.comparison else options.summaries[0]
        logger.info("Scores: %s", result.resolve())


def written_files(options: argparse.Namespace) -> list[Path]:
    """Return all files that the options name as outputs."""
    files = [*options.scores, *options.summaries, *options.scores_2026, *options.summaries_2026]
    files += [*options.comparison, *options.comparison_2026, *options.paper_tables]
    return [*files, options.page] if options.page else files


def compare_and_log(
    scored: ScoreSet, outputs: Sequence[Path], baseline: str | None, settings: Mapping[str, Any]
) -> ScoreSet:
    """Return a set of scores with its comparison. Write the comparison, and log the differences and the ranking.

    Args:
        scored: the scores; without a comparison.
        outputs: table and JSON file to write; without them, nothing is compared.
        baseline: the folder from which differences are taken; None for the first.
        settings: further arguments of `metrics.comparison.compare`.
    """
    if not outputs:
        return scored
    table, result = outputs
    compared = compare(scored.tables, scores=scored.scores, baseline=baseline, **settings)
    write_table(table, comparison_table(compared))
    write_json(result, compared)
    name, tests = compared["baseline"], compared["tests"]["number"]
    main_score = next((score for score in scored.scores if score.name == RANKED_BY), scored.main_scores[0])
    logger.info(
        "difference from the baseline %s in %s, p (Holm) corrected for %d tests:", name, main_score.title, tests
    )
    for line in difference_lines(compared, main_score, settings["task"]):
        logger.info("%s", line)
    ranked_by = [score.title for score in scored.scores if "ranking" in score.places]
    logger.info("ranking by %s:", format_list(ranked_by))
    for line in ranking_lines(compared["ranking"], compared["confidence"]):
        logger.info("%s", line)
    return replace(scored, comparison=compared)


def write_page(
    path: Path, sets: Sequence[ScoreSet], paired_folders: Mapping[str, PairedPredictions], options: argparse.Namespace
) -> None:
    """Write the page of scores, with pictures of the largest disagreements, and their masks in the viewer.

    Args:
        path: HTML file to write.
        sets: the sets of scores.
        paired_folders: the pairs of each folder.
        options: the parsed command line.
    """
    colours = {label: options.colours["colours"][f"label_{label}"] for label in options.task.label_values}
    disagreements = find_disagreements(sets[0].tables, paired_folders, options.task)
    pictures, collector = list[Picture](), PairCollector()
    for found in disagreements:
        masks = read_masks(found.case, paired_folders)
        pictures.append(picture(found, slices_of(masks, between_folders=found.between_folders), colours))
        collector.add(found, masks)
    viewer = embed_mask_viewer(collector.pairs, collector.texts, colours, options.task) if collector.pairs else None
    page = ScoresPage(tuple(sets), tuple(pictures), viewer, collector.left_out)
    others = existing_pages(path.parent.parent)
    write_text(path, render_scores_page(page, colours, options.task, existing_pages=others))


def score_2026(
    paired_folders: Mapping[str, PairedPredictions], options: argparse.Namespace, settings: Mapping[str, Any]
) -> ScoreSet:
    """Score all folders as in BraTS 2025 and 2026. Write their tables, summaries and comparison, and log an overview.

    Args:
        paired_folders: the pairs of each folder.
        options: the parsed command line.
        settings: settings of the confidence intervals, the task, and the patient of each case.

    Returns:
        The scores.
    """
    tables, summaries = {}, {}
    outputs = zip(options.scores_2026, options.summaries_2026, strict=True)
    for (name, paired), (scores, summary) in zip(paired_folders.items(), outputs, strict=True):
        scored = score_pairs_2026(paired.pairs, paired.folders, processes=options.processes)
        tables[name] = scored.table
        resampling = {key: settings[key] for key in ("confidence", "bootstrap_samples", "seed")}
        summaries[name] = write_scores_2026(
            scores,
            summary,
            scored,
            resampling,
            task=options.task,
            extra_summary=paired.summary,
            patients=settings["patients"],
        )
    logger.info("as in BraTS 2025 and 2026, means over the cases with a value:")
    shown = [metric for metric in METRICS_2026 if "terminal" in metric.places]
    for line in overview_lines(summaries, options.task, shown):
        logger.info("%s", line)
    found = ScoreSet("2026", f"Scores of {CHALLENGE}", METRICS_2026, tables, summaries, None)
    return compare_and_log(found, options.comparison_2026, options.baseline, settings)


def _label_maps(text: str) -> list[dict[int, int] | None]:
    """Return label maps from JSON, which has text keys only."""
    maps = json.loads(text)
    return [label_map and {int(value): label for value, label in label_map.items()} for label_map in maps]


if __name__ == "__main__":
    main()
