"""The same slices with what agrees, what is missed and what is false."""

from collections.abc import Sequence

from tumorseg.figures.command import draw_cases
from tumorseg.figures.sheets import overlay_sheet


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of the rule figure_overlays."""
    draw_cases("figure_overlays", __doc__, lambda cases, _, task: overlay_sheet(cases, task), arguments)


if __name__ == "__main__":
    main()
