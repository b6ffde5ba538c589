"""Figure: usable and dropped cases by problem, and the tumour volumes of the usable ones."""

from typing import Final

from tumorseg.cli.console import logger
from tumorseg.formatting import format_part
from tumorseg.plotting.figure_record import FigureRecord, Files, MatplotlibFigure, Settings
from tumorseg.task import Task


def draw(files: Files, task: Task, settings: Settings) -> MatplotlibFigure:
    """Return the overview of the cases in the manifest and the validation results."""
    from tumorseg.cohort.case_summary import summarise_cases
    from tumorseg.cohort.manifest import read_manifest
    from tumorseg.cohort.overview import summarise_cohort
    from tumorseg.cohort.validation_result import read_validation_results
    from tumorseg.plotting.cohort_chart import cohort_overview
    from tumorseg.plotting.style import label_colours
    from tumorseg.preparation.issue_codes import PREPARATION_PROBLEMS, PREPARATION_WARNINGS

    results = [result for path in files["validation_results"] for result in read_validation_results(path)]
    cases = summarise_cases(read_manifest(files["manifest"][0]), results, task)
    overview = summarise_cohort(cases, task, other_problems=PREPARATION_PROBLEMS, other_warnings=PREPARATION_WARNINGS)
    logger.info("%s usable", format_part(len(overview.usable), len(overview.cases), "case"))
    return cohort_overview(overview, label_colours(settings))


RECORD: Final = FigureRecord(
    name="cohort_overview",
    draw=draw,
    needs=("manifest", "validation_results"),
    settings=("colours",),
    section="cohort",
    title="Cases and tumour volumes",
    caption="Top: numbers of usable and dropped cases, and of cases with each problem (hatched); a case with several "
    "problems counts for each. Bottom: volumes of {volumes} in the usable cases that have them. Boxes show the median "
    "and the quartiles, whiskers the 5th and 95th percentiles. Fewer than 10 cases have no box. Below "
    "each box, each case is a point; for more than 100 cases, their distribution is drawn instead.",
    alt="Bar chart of the numbers of usable and dropped cases by problem, and box plots of the tumour volumes on a "
    "logarithmic axis. The numbers are in results/cohort/manifest.tsv.",
)
