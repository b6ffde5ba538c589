"""Generate the tables of metrics, problems, warnings and tasks from their records."""

from collections.abc import Iterable, Mapping
from typing import Final

from tumorseg.cohort.validation_result import PROBLEM_CODES, WARNING_CODES
from tumorseg.formatting import format_markdown_cell
from tumorseg.metrics.metric_record import Metric
from tumorseg.metrics.records_2026 import METRICS_2026
from tumorseg.metrics.registry import metrics
from tumorseg.preparation.issue_codes import PREPARATION_PROBLEMS, PREPARATION_WARNINGS
from tumorseg.task import DEFAULT_TASK, Task, built_in_tasks, load_task

_BETTER: Final = {"higher": "higher", "lower": "lower", "nearer_zero": "nearer to 0"}


def table(header: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Return a Markdown table."""
    titles = list(header)
    lines = [titles, ["---"] * len(titles), *([format_markdown_cell(value) for value in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def metrics_table(shown: Iterable[Metric]) -> str:
    """Return a table of metrics."""
    rows = ((f"`{metric.name}`", metric.title, metric.definition, *_range(metric)) for metric in shown)
    return table(("column", "score", "definition", "better", "best", "worst"), rows)


def _range(metric: Metric) -> tuple[str, str, str]:
    worst = "–" if metric.worst is None else f"{metric.worst:g}"
    return _BETTER[metric.better], f"{metric.best:g}", worst


def codes_table(sentences: Mapping[str, str]) -> str:
    """Return a table of the codes of problems or warnings.

    Args:
        sentences: meaning by code.
    """
    return table(("code", "meaning"), ((f"`{code}`", sentence) for code, sentence in sentences.items()))


def tasks_table() -> str:
    """Return the table of the built-in tasks, with the default task first."""
    names = sorted(built_in_tasks(), key=lambda name: (name != DEFAULT_TASK, name))
    return table(("task", "channels", "labels", "regions"), (_task_row(name, load_task(name)) for name in names))


def _task_row(name: str, task: Task) -> tuple[str, ...]:
    default = " (default)" if name == DEFAULT_TASK else ""
    labels = ", ".join(f"{value} {title}" for value, title in task.label_titles.items())
    return f"`{name}`{default}", ", ".join(task.channel_titles.values()), labels, ", ".join(task.region_labels)


TABLES: Final = {
    "metrics": lambda: metrics_table(metrics()),
    "metrics_2026": lambda: metrics_table(METRICS_2026),
    "problems": lambda: codes_table(PROBLEM_CODES),
    "warnings": lambda: codes_table(WARNING_CODES),
    "preparation_problems": lambda: codes_table(PREPARATION_PROBLEMS),
    "preparation_warnings": lambda: codes_table(PREPARATION_WARNINGS),
    "tasks": tasks_table,
}
"""Functions by the name in a page's line `<!-- generated: NAME -->`."""
