"""Kept and dropped cases by reason, and the tumour volumes of the kept ones."""

from typing import Final

from tumorseg.console import logger
from tumorseg.counts import part_is
from tumorseg.figures.record import Drawn, FigureRecord, Files, Settings
from tumorseg.task import Task


def draw(files: Files, task: Task, settings: Settings) -> Drawn:
    """Return the figure of the cases that the manifest and the verdicts list."""
    from tumorseg.cohort.manifest import read_manifest
    from tumorseg.cohort.verdict import read_verdicts
    from tumorseg.cohort_page.cases import read_cases
    from tumorseg.cohort_page.facts import gather
    from tumorseg.figures.cohort_overview import cohort_overview
    from tumorseg.figures.style import colours_of

    verdicts = [verdict for path in files["verdicts"] for verdict in read_verdicts(path)]
    facts = gather(read_cases(read_manifest(files["manifest"][0]), verdicts, task), task)
    logger.info("%s kept", part_is(len(facts.usable), len(facts.cases), "case"))
    return cohort_overview(facts, colours_of(settings))


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
