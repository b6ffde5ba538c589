"""The columns of the table of all cases, and which of them it shows at first."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tumorseg.metrics.metric_record import Metric
from tumorseg.metrics.registry import RANKED_BY, metrics
from tumorseg.reporting.report.case_rows import CaseRow
from tumorseg.reporting.report.structures import distinct_structures
from tumorseg.task import Task

VOLUMES: Final = ("Reference, ml", "Prediction, ml")


@dataclass(frozen=True)
class CaseColumn:
    """A column of the table of all cases.

    Attributes:
        score: name of the choice that shows it: a score, `volumes`, `patient` or `fold`.
        heading: its heading.
        metric: its score; None for the others.
        region: its region or label; empty for the mean over the labels and if it has no score.
        shown: whether the table shows it before a reader chooses columns.
    """

    score: str
    heading: str
    metric: Metric | None = None
    region: str = ""
    shown: bool = False


def case_columns(cases: Sequence[CaseRow], task: Task) -> list[CaseColumn]:
    """Return the columns after the name and the thumbnails. At first, the table shows what fits its page.

    Args:
        cases: the rows of the table.
        task: defines the structures.
    """
    columns = []
    if any(row.patient != row.case for row in cases):
        columns.append(CaseColumn("patient", "Patient"))
    if len({row.fold for row in cases}) > 1:
        columns.append(CaseColumn("fold", "Fold"))
    for metric in metrics("report_cases"):
        ranks = metric.name == RANKED_BY
        columns += [
            CaseColumn(metric.name, metric.heading_of(name), metric, name, ranks and name in task.region_labels)
            for name in distinct_structures(task)
        ]
        if ranks:
            columns.append(CaseColumn(metric.name, f"{metric.title}, mean over labels", metric, "", shown=True))
    return columns + [CaseColumn("volumes", heading, shown=True) for heading in VOLUMES]
