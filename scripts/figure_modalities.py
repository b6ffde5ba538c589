"""Slices of the four modalities through the tumour of the best, the median and the worst case."""

from collections.abc import Sequence

from tumorseg.figures.command import draw_cases
from tumorseg.figures.sheets import modality_sheet


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of the rule figure_modalities."""
    draw_cases("figure_modalities", __doc__, lambda cases, _, task: modality_sheet(cases, task), arguments)


if __name__ == "__main__":
    main()
