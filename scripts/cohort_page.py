"""Write the cohort page: usable and dropped cases, warnings, and a preview of every case."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from tumorseg.cli import console
from tumorseg.cohort.case_summary import summarise_cases
from tumorseg.cohort.manifest import read_manifest, usable_patients
from tumorseg.cohort.overview import summarise_cohort
from tumorseg.cohort.patients import patient_grouping_warnings
from tumorseg.cohort.preview import read_previews
from tumorseg.cohort.validation_result import read_validation_results
from tumorseg.formatting import format_part
from tumorseg.io.files import write_text
from tumorseg.plotting.thumbnails import preview_data_url, preview_pixels_for
from tumorseg.preparation.issue_codes import PREPARATION_PROBLEMS, PREPARATION_WARNINGS
from tumorseg.reporting.cohort_page.cohort_html import render_cohort_page
from tumorseg.task import add_task_option


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line of the rule cohort_page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifest", type=Path, required=True, help="TSV file of the manifest")
    parser.add_argument(
        "--validation-results",
        type=Path,
        nargs="+",
        required=True,
        help="JSON files of the validation results of all shards",
    )
    parser.add_argument(
        "--previews", type=Path, nargs="+", required=True, help="safetensors files of the previews of all shards"
    )
    parser.add_argument(
        "--settings", type=json.loads, required=True, help="`colours` of the labels and `patient`, as JSON"
    )
    add_task_option(parser)
    parser.add_argument("--output", type=Path, required=True, help="page to write (HTML)")
    parser.add_argument("--log", type=Path, help="log file")
    options = parser.parse_args(arguments)
    with console.job("cohort_page", options.log):
        results = [result for path in options.validation_results for result in read_validation_results(path)]
        table = read_manifest(options.manifest)
        task, by_name = options.task, options.settings.get("patient") is None
        overview = summarise_cohort(
            summarise_cases(table, results, task),
            task,
            patient_grouping_warnings(usable_patients(table)) if by_name else (),
            other_problems=PREPARATION_PROBLEMS,
            other_warnings=PREPARATION_WARNINGS,
        )
        colours = {label: options.settings["colours"][f"label_{label}"] for label in task.label_values}
        tile_pixels = preview_pixels_for(len(results))
        previews = {
            case: preview_data_url(preview, colours, task, tile_pixels)
            for path in options.previews
            for case, preview in read_previews(path).items()
        }
        write_text(options.output, render_cohort_page(overview, previews, colours, task, tile_pixels))
        console.logger.info(
            "%s usable: see %s", format_part(len(overview.usable), len(overview.cases), "case"), options.output
        )


if __name__ == "__main__":
    main()
