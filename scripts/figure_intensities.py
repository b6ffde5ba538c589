"""Intensities of every usable case before and after normalisation, by modality."""

from collections.abc import Sequence
from pathlib import Path

from tumorseg import console
from tumorseg.cohort.manifest import read_manifest
from tumorseg.cohort.verdict import read_verdicts
from tumorseg.cohort_page.cases import read_cases
from tumorseg.counts import counted
from tumorseg.figures.command import figure_parser
from tumorseg.figures.intensities import intensity_spans, spans_after, spans_before
from tumorseg.figures.style import save


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of the rule figure_intensities."""
    parser = figure_parser(__doc__)
    parser.add_argument("--manifest", type=Path, required=True, help="TSV file of the manifest")
    parser.add_argument(
        "--verdicts", type=Path, nargs="+", required=True, help="JSON files of the verdicts of all batches"
    )
    parser.add_argument("--normalised", type=Path, nargs="+", required=True, help="folders of normalised cases")
    options = parser.parse_args(arguments)
    with console.job("figure_intensities", options.log):
        verdicts = [verdict for path in options.verdicts for verdict in read_verdicts(path)]
        cases = read_cases(read_manifest(options.manifest), verdicts, options.task)
        cases = [case for case in cases if case.usable]
        before, after = spans_before(cases, options.task), spans_after(cases, options.normalised, options.task)
        figure = intensity_spans(before, after, options.task)
        save(figure, options.output, options.settings["dpi"])
        console.logger.info("intensities of %s drawn", counted(len(cases), "case"))


if __name__ == "__main__":
    main()
