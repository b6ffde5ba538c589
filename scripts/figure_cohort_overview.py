"""Kept and dropped cases by reason, and the tumour volumes of the kept ones."""

from collections.abc import Sequence
from pathlib import Path

from tumorseg import console
from tumorseg.cohort.manifest import read_manifest
from tumorseg.cohort.verdict import read_verdicts
from tumorseg.cohort_page.cases import read_cases
from tumorseg.cohort_page.facts import gather
from tumorseg.counts import part_is
from tumorseg.figures.cohort_overview import cohort_overview
from tumorseg.figures.command import figure_parser
from tumorseg.figures.style import colours_of, save


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of the rule figure_cohort_overview."""
    parser = figure_parser(__doc__)
    parser.add_argument("--manifest", type=Path, required=True, help="TSV file of the manifest")
    parser.add_argument(
        "--verdicts", type=Path, nargs="+", required=True, help="JSON files of the verdicts of all batches"
    )
    options = parser.parse_args(arguments)
    with console.job("figure_cohort_overview", options.log):
        verdicts = [verdict for path in options.verdicts for verdict in read_verdicts(path)]
        facts = gather(read_cases(read_manifest(options.manifest), verdicts, options.task), options.task)
        colours = colours_of(options.settings)
        save(cohort_overview(facts, colours), options.output, options.settings["dpi"])
        console.logger.info("%s kept", part_is(len(facts.usable), len(facts.cases), "case"))


if __name__ == "__main__":
    main()
