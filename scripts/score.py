"""Score masks from any tool against references: one folder of them, or several side by side."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from tumorseg.cli import console
from tumorseg.cli.console import logger
from tumorseg.cohort.patients import assign_patients
from tumorseg.evaluation.hints import find_hints
from tumorseg.evaluation.mask_validation import check_references, validate_references
from tumorseg.evaluation.masks import MaskReadOptions
from tumorseg.evaluation.matching import match_folders
from tumorseg.evaluation.prediction_folder import MaskFolders, log_reference_notes, pair_predictions, score_pairs
from tumorseg.evaluation.scoring import overview_lines, remove_stale_outputs, write_scores
from tumorseg.io.files import write_json
from tumorseg.io.tables import write_table
from tumorseg.io.volume_limits import DEFAULT_MAX_VOXELS
from tumorseg.metrics.comparison import compare, comparison_table
from tumorseg.task import add_task_option


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of the rule score."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--predictions", type=Path, nargs="+", required=True, help="folders of masks")
    parser.add_argument("--references", type=Path, required=True, help="folder of the experts' masks")
    parser.add_argument("--settings", type=json.loads, required=True, help="settings of `evaluation`, as JSON")
    add_task_option(parser)
    parser.add_argument("--labels", default="auto", help="how references write labels, as `cohort.labels`")
    parser.add_argument(
        "--label-maps", type=_label_maps, help="the label map or null of each folder of predictions, as JSON"
    )
    parser.add_argument("--patient", help="the pattern of the patient of a case")
    parser.add_argument("--patient-table", type=Path, nargs="?", help="the user's own table of patients")
    parser.add_argument("--largest-voxels", type=int, default=DEFAULT_MAX_VOXELS, help="voxels that a mask may have")
    parser.add_argument("--processes", type=int, default=1, help="cases scored at a time")
    parser.add_argument("--scores", type=Path, nargs="+", required=True, help="table of scores of each folder, CSV")
    parser.add_argument("--summaries", type=Path, nargs="+", required=True, help="summary of each folder, JSON")
    parser.add_argument("--comparison", type=Path, nargs="*", help="table, CSV, and JSON that compare the folders")
    parser.add_argument("--clear", type=Path, help="folder in which the scores that an earlier run left are removed")
    parser.add_argument("--log", type=Path, help="log file")
    options = parser.parse_args(arguments)
    with console.job("score", options.log):
        settings, processes = options.settings, options.processes
        matches = match_folders(options.predictions, options.references, options.task)
        files = {pair.case: pair.reference for of_folder in matches.values() for pair in of_folder.pairs}
        of_references = MaskReadOptions(options.task, options.labels, max_voxels=options.largest_voxels)
        grids = validate_references(options.references, files, of_references, processes)
        check_references({files[case]: grid for case, grid in grids.items()}, of_references, options.references)
        log_reference_notes(options.references, files, grids)
        patients = assign_patients(files, pattern=options.patient, table=options.patient_table)
        maps = options.label_maps or [None] * len(matches)
        tables, summaries = {}, {}
        outputs = zip(maps, options.scores, options.summaries, strict=True)
        for (name, of_folder), (label_map, scores, summary) in zip(matches.items(), outputs, strict=True):
            folders = MaskFolders(
                of_folder.folder, options.references, of_references.for_predictions(label_map), of_references
            )
            found = pair_predictions(of_folder, folders, grids, processes)
            tables[name], confusions = score_pairs(
                found.pairs,
                found.folders,
                surface_tolerance_mm=settings["surface_tolerance"],
                processes=processes,
            )
            hints = find_hints(found, tables[name], confusions, several=len(matches) > 1, threads=processes)
            missing = [pair.case for pair in found.pairs if pair.prediction is None]
            summaries[name] = write_scores(
                scores,
                tables[name],
                summary,
                confusions,
                settings,
                task=options.task,
                missing=missing,
                extra_summary={**found.summary, "hints": hints},
                patients=patients,
            )
        result = options.summaries[0]
        if options.comparison:
            table, result = options.comparison
            asked = {key: settings[key] for key in ("confidence", "bootstrap_samples", "seed")}
            compared = compare(tables, **asked, task=options.task, patients=patients)
            write_table(table, comparison_table(compared))
            write_json(result, compared)
        if options.clear:
            written = [*options.scores, *options.summaries, *(options.comparison or [])]
            for old in remove_stale_outputs(options.clear, written):
                logger.info("removed, since it is of other folders: %s", old)
        for line in overview_lines(summaries, options.task):
            logger.info("%s", line)
        logger.info("Scores: %s", result.resolve())


def _label_maps(text: str) -> list[dict[int, int] | None]:
    """JSON has keys of text only."""
    return [one and {int(value): label for value, label in one.items()} for one in json.loads(text)]


if __name__ == "__main__":
    main()
