"""Distribution of the scores of all cases, by region and label."""

from collections.abc import Sequence
from pathlib import Path

from tumorseg import console
from tumorseg.counts import counted
from tumorseg.figures.command import figure_parser
from tumorseg.figures.distributions import score_distributions
from tumorseg.figures.style import save
from tumorseg.metrics.scores import TEXT_COLUMNS
from tumorseg.tables import read_table


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of the rule figure_scores."""
    parser = figure_parser(__doc__)
    parser.add_argument("--scores", type=Path, required=True, help="scores of each case")
    options = parser.parse_args(arguments)
    with console.job("figure_scores", options.log):
        scores = read_table(options.scores, text=TEXT_COLUMNS)
        save(score_distributions(scores, options.task), options.output, options.settings["dpi"])
        console.logger.info("scores of %s drawn", counted(scores["case"].nunique(), "case"))


if __name__ == "__main__":
    main()
