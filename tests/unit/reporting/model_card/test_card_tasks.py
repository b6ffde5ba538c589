"""The model card of every built-in task."""

import ast
import re
from dataclasses import replace

import pytest

from tests.unit.reporting.model_card.test_card import TASK, card, files, results, summary  # noqa: F401 - fixtures
from tumorseg.task import built_in_tasks, load_task


@pytest.mark.parametrize("name", built_in_tasks())
def test_the_card_names_only_channels_labels_and_regions_of_its_task(results, name):  # noqa: F811
    task = load_task(name)
    results.summary.update(summary(task))
    results.check["convention"] = next(iter(task.conventions))
    text = card(results, task, model={"classes": task.classes})
    assert f"for the task `{name}`: {task.title}" in text
    assert f"**Input**: {', '.join(task.channel_titles.values())}" in text
    for region in task.regions:
        assert f"{region.name}, {region.title} (label" in text
        assert f"| {region.name}: {region.title} | 2 | 0 |" in text
    for label in task.labels:
        assert f", {label.value} {label.title}" in text
    assert ("never predicted" in text) == bool(task.unused_classes)
    others = {word for other in map(load_task, built_in_tasks()) for word in other.structure_titles.values()}
    assert [word for word in others - set(task.structure_titles.values()) if f"{word} |" in text] == []
    assert "cohort.task" in text
    (example,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    ast.parse(example)


def test_the_card_describes_how_masks_write_labels(results):  # noqa: F811
    assert "Their masks follow the convention brats2023 (enhancing tumour as 3)." in card(results)
    results.check["convention"] = "mixed"
    assert "follow several conventions: brats2021 (enhancing tumour as 4), brats2023 (enh" in card(results)
    mapped = TASK.with_label_map({1: 2, 2: 1, 3: 4})
    assert "were read with a label map: 1 as 2 (oedema), 2 as 1 (necrotic" in card(results, mapped)
    after = load_task("brats-glioma-post-treatment")
    results.summary.update(summary(after))
    assert "Their masks contain the label values above." in card(results, after)


def test_titles_of_a_task_stay_within_table_cells(results):  # noqa: F811
    regions = tuple(replace(region, title=f"{region.title} | or\nmore") for region in TASK.regions)
    labels = tuple(replace(label, title=f"{label.title} | or more") for label in TASK.labels)
    task = replace(TASK, regions=regions, labels=labels)
    results.summary.update(summary(task))
    lines = card(results, task).splitlines()
    assert any(line.startswith("| WT: whole tumour \\| or more | 2 | 0 |") for line in lines)
    for first, second, *rows in (part.splitlines() for part in "\n".join(lines).split("\n\n") if part.startswith("| ")):
        columns = {len(re.findall(r"(?<!\\)\|", row)) for row in (first, second, *rows)}
        assert len(columns) == 1, first
