"""Distribution of the scores of all cases, by region and label."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from tumorseg import console
from tumorseg.figures.command import figure_parser
from tumorseg.figures.distributions import score_distributions
from tumorseg.figures.style import save


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of the rule figure_scores."""
    parser = figure_parser(__doc__)
    parser.add_argument("--scores", type=Path, required=True, help="scores of each case")
    options = parser.parse_args(arguments)
    with console.job("figure_scores", options.log):
        scores = pd.read_csv(options.scores, dtype={"case": str})
        save(score_distributions(scores), options.output, options.settings["dpi"])
        console.logger.info("scores of %s cases drawn", scores["case"].nunique())


if __name__ == "__main__":
    main()
