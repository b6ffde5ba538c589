"""The model card as Markdown."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tumorseg.counts import listed
from tumorseg.metrics.record import Metric
from tumorseg.metrics.registry import RANKED_BY, directions, metric, metrics
from tumorseg.model_card.facts import Facts
from tumorseg.orientation import NETWORK_AXES
from tumorseg.pages.markdown import cell
from tumorseg.pages.words import counted
from tumorseg.task import DEFAULT, Task, built_in


def render(facts: Facts, configuration: Mapping[str, Any], task: Task) -> str:
    """The card; equal arguments give equal text. configuration: see `facts.gather`."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=False,  # noqa: S701 (no HTML; all text is the workflow's own, or a value that the schema allows)
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"cell": cell, "counted": counted, "setting": _setting, "python": _python, "score": _score}
    return environment.get_template("template.md.jinja").render(
        facts=facts,
        configuration=configuration,
        task=task,
        labels=listed([str(label) for label in task.label_values]),
        files={channel.name: f"case-{channel.files[0]}.nii.gz" for channel in task.channels if channel.files},
        own_task=task.name not in built_in(),
        task_option="" if task.name == DEFAULT else f"cohort='{{task: {task.name}}}' ",
        axes=NETWORK_AXES,
        metrics=metrics("model_card"),
        label_metric=metric(RANKED_BY),
        directions=directions(metrics("model_card"), lambda metric: metric.title),
    )


def _setting(value: Any) -> str:
    """A value as it stands in the configuration."""
    return value if isinstance(value, str) else json.dumps(value)


def _python(value: Any) -> str:
    """A value as Python writes it; text in double quotes."""
    return json.dumps(value) if isinstance(value, str) else repr(value)


def _score(scores: Mapping[str, Mapping[str, float]], of: Metric) -> str:
    """The mean of a score with its interval: `0.812 (0.790 to 0.833)`."""
    mean, low, high = (of.text(scores[of.name][number]) for number in ("mean", "low", "high"))
    return f"{mean} ({low} to {high})"
