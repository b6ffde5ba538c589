"""Kept and dropped cases by reason, and the tumour volumes of the kept ones."""

from typing import Final

from tumorseg.cli.console import logger
from tumorseg.formatting import format_part
from tumorseg.plotting.record import Drawn, FigureRecord, Files, Settings
from tumorseg.task import Task


def draw(files: Files, task: Task, settings: Settings) -> Drawn:
    """Return the figure of the cases that the manifest and the verdicts list."""
    from tumorseg.cohort.case_summary import summarise_cases
    from tumorseg.cohort.manifest import read_manifest
    from tumorseg.cohort.overview import summarise_cohort
    from tumorseg.cohort.validation_result import read_validation_results
    from tumorseg.plotting.cohort_chart import cohort_overview
    from tumorseg.plotting.style import label_colours

    verdicts = [verdict for path in files["verdicts"] for verdict in read_validation_results(path)]
    facts = summarise_cohort(summarise_cases(read_manifest(files["manifest"][0]), verdicts, task), task)
    logger.info("%s kept", format_part(len(facts.usable), len(facts.cases), "case"))
    return cohort_overview(facts, label_colours(settings))


RECORD: Final = FigureRecord(
    name="cohort_overview",
    draw=draw,
    needs=("manifest", "verdicts"),
    settings=("colours",),
    section="cohort",
    title="Cases and tumour volumes",
    caption="How many cases are kept, how many are dropped, and for each problem how many have it (hatched); a case "
    "with several problems counts under each. Below, the volumes of {volumes} in the kept "
    "cases that have them: boxes from quartile to quartile around the median, whiskers to the 5th and 95th "
    "percentile, and below each box the cases as points or, of more than 100, their distribution.",
    alt="Bars of the numbers of kept and dropped cases by reason, and box plots of the tumour volumes on a "
    "logarithmic axis. The numbers are in results/cohort/manifest.tsv.",
)
