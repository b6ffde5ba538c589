"""Page from which a person decides about the cohort."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from tumorseg import console
from tumorseg.cohort.manifest import read_manifest, usable_patients
from tumorseg.cohort.preview import read_previews
from tumorseg.cohort.verdict import read_verdicts
from tumorseg.cohort.visits import doubts
from tumorseg.cohort_page.cases import read_cases
from tumorseg.cohort_page.facts import gather
from tumorseg.cohort_page.page import render
from tumorseg.cohort_page.thumbnails import strip_url
from tumorseg.counts import part_is
from tumorseg.files import write_text
from tumorseg.task import add_task_option


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of the rule cohort_page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifest", type=Path, required=True, help="TSV file of the manifest")
    parser.add_argument(
        "--verdicts", type=Path, nargs="+", required=True, help="JSON files of the verdicts of all batches"
    )
    parser.add_argument(
        "--previews", type=Path, nargs="+", required=True, help="safetensors files of the small pictures of all batches"
    )
    parser.add_argument(
        "--settings", type=json.loads, required=True, help="`colours` of the labels and `patient`, as JSON"
    )
    add_task_option(parser)
    parser.add_argument("--output", type=Path, required=True, help="page to write (HTML)")
    parser.add_argument("--log", type=Path, help="log file")
    options = parser.parse_args(arguments)
    with console.job("cohort_page", options.log):
        verdicts = [verdict for path in options.verdicts for verdict in read_verdicts(path)]
        table = read_manifest(options.manifest)
        task, by_name = options.task, options.settings.get("patient") is None
        facts = gather(read_cases(table, verdicts, task), task, doubts(usable_patients(table)) if by_name else ())
        colours = {label: options.settings["colours"][f"label_{label}"] for label in task.label_values}
        strips = {
            case: strip_url(preview, colours, task)
            for path in options.previews
            for case, preview in read_previews(path).items()
        }
        write_text(options.output, render(facts, strips, colours, task))
        console.logger.info("%s usable: see %s", part_is(len(facts.usable), len(facts.cases), "case"), options.output)


if __name__ == "__main__":
    main()
