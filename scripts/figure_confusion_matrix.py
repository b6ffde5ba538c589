"""What the voxels of each label were taken for, over all held-out cases."""

from collections.abc import Sequence
from pathlib import Path

from tumorseg import console
from tumorseg.figures.command import figure_parser
from tumorseg.figures.confusion import confusion_matrix
from tumorseg.figures.style import save
from tumorseg.files import read_json


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of the rule figure_confusion_matrix."""
    parser = figure_parser(__doc__)
    parser.add_argument("--summary", type=Path, required=True, help="summary of the scores, JSON")
    options = parser.parse_args(arguments)
    with console.job("figure_confusion_matrix", options.log):
        voxels = read_json(options.summary)["confusion"]["voxels"]
        save(confusion_matrix(voxels, options.task), options.output, options.settings["dpi"])


if __name__ == "__main__":
    main()
