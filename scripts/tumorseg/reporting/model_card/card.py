"""Read the results of a run, collect the content of the model card, and render it as Markdown."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tumorseg.cohort.manifest import read_manifest
from tumorseg.cohort.splits import FoldAssignment, read_splits, training_cases, validation_cases
from tumorseg.formatting import format_count, format_list, format_markdown_cell
from tumorseg.geometry import format_spacing
from tumorseg.inference.records import verify_selected_model
from tumorseg.io.files import read_json
from tumorseg.metrics.metric_record import Metric
from tumorseg.metrics.registry import RANKED_BY, describe_directions, metric, metrics
from tumorseg.networks.model_header import read_header
from tumorseg.networks.training_facts import TrainingFacts
from tumorseg.orientation import NETWORK_AXES
from tumorseg.preprocessing.resampling import target_spacing_mm
from tumorseg.task import DEFAULT_TASK, Task, built_in_tasks
from tumorseg.task.conventions import describe_convention, describe_label_map, labels_written_differently


@dataclass(frozen=True)
class ModelFile:
    """The model file of a fold.

    Attributes:
        file: its name.
        size_bytes: its size.
        selection: the content of selection.json of the fold.
        trained_on: what the model was trained on.
    """

    file: str
    size_bytes: int
    selection: dict[str, Any]
    trained_on: TrainingFacts


@dataclass(frozen=True)
class CardInputs:
    """Results of a run.

    Attributes:
        manifest: the manifest, a row for each case folder.
        check: the content of check.json of the cohort.
        splits: fold and patient of each case.
        summary: the content of summary.json.
        models: the models, by fold.
    """

    manifest: pd.DataFrame
    check: dict[str, Any]
    splits: list[FoldAssignment]
    summary: dict[str, Any]
    models: list[ModelFile]


def read_card_inputs(
    *, manifest: Path, check: Path, splits: Path, summary: Path, selections: Sequence[Path], models: Sequence[Path]
) -> CardInputs:
    """Return the results of a run that the model card describes.

    Args:
        manifest: the manifest of the cohort.
        check: check.json of the cohort.
        splits: the table of folds.
        summary: summary.json.
        selections: selection.json of fold 0, 1 and so on.
        models: the model of fold 0, 1 and so on.

    Raises:
        UserError: a model file is not the one named in its selection, or is invalid.
    """
    return CardInputs(
        manifest=read_manifest(manifest),
        check=read_json(check),
        splits=read_splits(splits),
        summary=read_json(summary),
        models=[
            _read_model_file(path, selection, fold)
            for fold, (path, selection) in enumerate(zip(models, selections, strict=True))
        ],
    )


def _read_model_file(path: Path, selection: Path, fold: int) -> ModelFile:
    content = verify_selected_model(path, selection, fold)
    return ModelFile(path.name, path.stat().st_size, content, read_header(path).trained_on)


@dataclass(frozen=True)
class CardFold:
    """A fold and its model.

    Attributes:
        fold: the number of the fold.
        trained: number of training cases.
        held_out: number of held-out cases.
        epoch: the selected epoch.
        network: description of the kind of network.
        selected_by: how the epoch was selected: `last` or `best`.
        refused: a text such as `epoch 3 (digest_mismatch)` for each refused checkpoint.
        file: the name of the model file.
        size_bytes: its size.
        digest: its SHA-256.
    """

    fold: int
    trained: int
    held_out: int
    epoch: int
    network: str
    selected_by: str
    refused: list[str]
    file: str
    size_bytes: int
    digest: str


@dataclass(frozen=True)
class CardStructure:
    """The scores of a region or label.

    Attributes:
        heading: name and title, as `WT: whole tumour`.
        scores: its scores by name, as in summary.json.
        absent: number of cases in which it is absent from the reference.
    """

    heading: str
    scores: dict[str, dict[str, float]]
    absent: int


@dataclass(frozen=True)
class CardContent:
    """The content of the card.

    Attributes:
        found: number of cases found.
        usable: number of usable cases.
        dropped: number of dropped cases.
        reasons: dropped cases by problem code.
        patients: number of patients of the usable cases.
        convention: how the masks write labels, as a phrase after "Their masks".
        fallback_convention: the convention of predicted masks if the masks of the cohort follow several conventions,
            or none; empty if the task has only one.
        spacings_mm: usable cases by voxel size, such as `1x1x1`, the most common first.
        folds: the folds.
        scored: number of held-out cases.
        confidence: level of the confidence intervals, 0 to 1.
        interval: how the confidence intervals are computed.
        definitions: definition of each metric, by name.
        regions: scores of the regions, by name.
        labels: scores of the labels, by name.
        warnings: warnings at the top of the card.
        channel_sets: the sets of channels that all models were trained for, see `TrainingFacts.includes`.
    """

    found: int
    usable: int
    dropped: int
    reasons: dict[str, int]
    patients: int
    convention: str
    fallback_convention: str
    spacings_mm: dict[str, int]
    folds: list[CardFold]
    scored: int
    confidence: float
    interval: str
    definitions: dict[str, str]
    regions: dict[str, CardStructure]
    labels: dict[str, CardStructure]
    warnings: list[str]
    channel_sets: list[tuple[str, ...]]


def collect_card_content(results: CardInputs, configuration: Mapping[str, Any], task: Task) -> CardContent:
    """Return the content of the card.

    Args:
        results: the results of the run.
        configuration: the configuration with all its sections.
        task: defines the channels, labels and regions.
    """
    manifest, summary = results.manifest, results.summary
    usable = manifest[manifest["usable"]]
    folds = [_card_fold(model, results.splits) for model in results.models]
    return CardContent(
        found=len(manifest),
        usable=len(usable),
        dropped=len(manifest) - len(usable),
        reasons=results.check["reasons"],
        patients=len({assignment.patient for assignment in results.splits}),
        convention=_describe_mask_convention(results.check["convention"], task),
        fallback_convention=(
            describe_convention(task, list(task.conventions)[-1]) if labels_written_differently(task) else ""
        ),
        spacings_mm={str(spacing): int(count) for spacing, count in usable["spacing"].value_counts().items()},
        folds=folds,
        scored=summary["cases"],
        confidence=summary["confidence"],
        interval=summary["interval"],
        definitions=summary["definitions"],
        regions={name: _card_structure(name, summary, task) for name in task.region_labels},
        labels={name: _card_structure(name, summary, task) for name in task.label_structures},
        warnings=_warnings(folds, summary["never_predicted"], task, demo=bool(configuration["demo"])),
        channel_sets=[
            subset
            for subset in task.channel_subsets
            if all(model.trained_on.includes(subset) for model in results.models)
        ],
    )


def _describe_mask_convention(name: str | None, task: Task) -> str:
    """Return how the masks of the training data write labels, as a phrase after "Their masks"."""
    if task.label_map is not None:
        return f"were read with a label map: {describe_label_map(task)}"
    if not labels_written_differently(task):
        return "contain the label values above"
    if name is None or name in task.conventions:
        return f"follow the convention {describe_convention(task, name or '')}"
    return f"follow several conventions: {', '.join(describe_convention(task, each) for each in task.conventions)}"


def _card_fold(model: ModelFile, splits: list[FoldAssignment]) -> CardFold:
    selection = model.selection
    fold = selection["fold"]
    return CardFold(
        fold=fold,
        trained=len(training_cases(splits, fold)),
        held_out=len(validation_cases(splits, fold)),
        epoch=selection["epoch"],
        network=selection["network"],
        selected_by=selection["select"],
        refused=[
            f"epoch {refused['epoch']} ({', '.join(problem['code'] for problem in refused['problems'])})"
            for refused in selection["refused"]
        ],
        file=model.file,
        size_bytes=model.size_bytes,
        digest=selection["digest"],
    )


def _card_structure(structure: str, summary: dict[str, Any], task: Task) -> CardStructure:
    content = summary["structures"][structure]
    name = structure.replace("_", " ")
    return CardStructure(f"{name}: {task.structure_titles[structure]}", content["scores"], content["empty_reference"])


def _warnings(folds: list[CardFold], never_predicted: list[str], task: Task, *, demo: bool) -> list[str]:
    warnings = []
    if demo:
        warnings.append(
            "Trained on the demo cohort of the workflow: synthetic tumours in the anatomy of a template. Not usable on "
            "patients."
        )
    warnings += [
        f"Never predicted: {label.replace('_', ' ')}, {task.structure_titles[label]}. The references of the held-out "
        "cases contain it, but it is missed in every case."
        for label in never_predicted
    ]
    if any(fold.selected_by == "best" for fold in folds):
        warnings.append(
            "The epoch was selected by its Dice on the cases it is scored on (`checkpoint.select: best`), so the "
            "scores are optimistic."
        )
    return warnings


def render_model_card(content: CardContent, configuration: Mapping[str, Any], task: Task) -> str:
    """Return the card as Markdown; equal arguments give equal text.

    Args:
        content: the content of the card.
        configuration: all sections of the configuration; the card lists settings from it.
        task: defines the channels, labels and regions.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=False,  # noqa: S701 (not HTML; all text is from the workflow or a value that the schema allows)
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "cell": format_markdown_cell,
        "counted": format_count,
        "setting": _setting_text,
        "python": _python_literal,
        "score": _score_text,
    }
    target_mm = target_spacing_mm(configuration["normalisation"])
    return environment.get_template("template.md.jinja").render(
        content=content,
        configuration=configuration,
        task=task,
        labels=format_list([str(label) for label in task.label_values]),
        regions=format_list(list(task.region_labels)),
        files={channel.name: f"case-{channel.files[0]}.nii.gz" for channel in task.channels if channel.files},
        channel_sets=[" + ".join(task.channel_titles[name] for name in names) for names in content.channel_sets],
        requires_all=content.channel_sets == [task.channel_names],
        allows_any=content.channel_sets == list(task.channel_subsets),
        own_task=task.name not in built_in_tasks(),
        task_option="" if task.name == DEFAULT_TASK else f"cohort='{{task: {task.name}}}' ",
        axes=NETWORK_AXES,
        target=format_spacing(target_mm) if target_mm else None,
        metrics=metrics("model_card"),
        label_metric=metric(RANKED_BY),
        directions=describe_directions(metrics("model_card"), lambda metric: metric.title),
    )


def _setting_text(value: Any) -> str:
    """Return a value as it is written in the configuration."""
    return value if isinstance(value, str) else json.dumps(value)


def _python_literal(value: Any) -> str:
    """Return a value as a Python literal, text in double quotes."""
    return json.dumps(value) if isinstance(value, str) else repr(value)


def _score_text(scores: Mapping[str, Mapping[str, float]], metric: Metric) -> str:
    """Return the mean of a score with its interval: `0.812 (0.790 to 0.833)`."""
    mean, low, high = (metric.text(scores[metric.name][key]) for key in ("mean", "low", "high"))
    return f"{mean} ({low} to {high})"
