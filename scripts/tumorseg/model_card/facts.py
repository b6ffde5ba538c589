"""What the model card says, computed from the results and free of any markup."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tumorseg.cohort.splits import Assignment, held_out, trained_on
from tumorseg.model_card.inputs import Model, Results
from tumorseg.pages.task_words import convention_words, differing_labels, label_map_words
from tumorseg.task import Task


@dataclass(frozen=True)
class FoldFacts:
    """A fold and its model.

    network: what kind it is, in words. refused: `epoch 3 (digest_mismatch)` for each checkpoint that was not sound.
    """

    fold: int
    trained: int
    held_out: int
    epoch: int
    network: str
    choose: str
    refused: list[str]
    file: str
    size: int
    digest: str


@dataclass(frozen=True)
class StructureFacts:
    """A region or label. scores: by name, as in summary.json. absent: cases whose reference lacks it."""

    name: str
    scores: dict[str, dict[str, float]]
    absent: int


@dataclass(frozen=True)
class Facts:
    """All that the card says of a run.

    reasons: dropped cases by problem code. convention: how the masks write labels, in words. several: the convention
    of written masks where those of the cohort follow several, or none; empty with one only. spacings: usable cases by
    voxel size in mm, such as `1x1x1`, the most common first. warnings: what a reader must not overlook.
    """

    found: int
    usable: int
    dropped: int
    reasons: dict[str, int]
    patients: int
    convention: str
    several: str
    spacings: dict[str, int]
    folds: list[FoldFacts]
    scored: int
    confidence: float
    interval: str
    definitions: dict[str, str]
    regions: dict[str, StructureFacts]
    labels: dict[str, StructureFacts]
    warnings: list[str]


def gather(results: Results, configuration: Mapping[str, Any], task: Task) -> Facts:
    """Compute what the card says. configuration: the sections `demo`, `model`, `training` and so on."""
    manifest, summary = results.manifest, results.summary
    usable = manifest[manifest["usable"]]
    folds = [_fold_facts(model, results.splits) for model in results.models]
    return Facts(
        found=len(manifest),
        usable=len(usable),
        dropped=len(manifest) - len(usable),
        reasons=results.check["reasons"],
        patients=len({assignment.patient for assignment in results.splits}),
        convention=_convention(results.check["convention"], task),
        several=convention_words(task, list(task.conventions)[-1]) if differing_labels(task) else "",
        spacings={str(spacing): int(count) for spacing, count in usable["spacing"].value_counts().items()},
        folds=folds,
        scored=summary["cases"],
        confidence=summary["confidence"],
        interval=summary["interval"],
        definitions=summary["definitions"],
        regions={name: _structure_facts(name, summary, task) for name in task.region_labels},
        labels={name: _structure_facts(name, summary, task) for name in task.label_structures},
        warnings=_warnings(folds, summary["never_predicted"], task, demo=bool(configuration["demo"])),
    )


def _convention(name: str | None, task: Task) -> str:
    """How the masks of the training data write labels, after "Their masks"."""
    if task.label_map is not None:
        return f"were read by a label map: {label_map_words(task)}"
    if not differing_labels(task):
        return "hold the values of the labels above"
    if name is None or name in task.conventions:
        return f"follow the convention {convention_words(task, name or '')}"
    return f"follow several conventions: {', '.join(convention_words(task, each) for each in task.conventions)}"


def _fold_facts(model: Model, splits: list[Assignment]) -> FoldFacts:
    selection = model.selection
    fold = selection["fold"]
    return FoldFacts(
        fold=fold,
        trained=len(trained_on(splits, fold)),
        held_out=len(held_out(splits, fold)),
        epoch=selection["epoch"],
        network=selection["network"],
        choose=selection["choose"],
        refused=[
            f"epoch {refused['epoch']} ({', '.join(problem['code'] for problem in refused['problems'])})"
            for refused in selection["refused"]
        ],
        file=model.file,
        size=model.size,
        digest=selection["digest"],
    )


def _structure_facts(structure: str, summary: dict[str, Any], task: Task) -> StructureFacts:
    content = summary["structures"][structure]
    name = structure.replace("_", " ")
    return StructureFacts(f"{name}: {task.structure_titles[structure]}", content["scores"], content["empty_reference"])


def _warnings(folds: list[FoldFacts], never_predicted: list[str], task: Task, *, demo: bool) -> list[str]:
    warnings = []
    if demo:
        warnings.append(
            "Trained on the demo cohort of the workflow: synthetic tumours, drawn into the anatomy of a template. Of "
            "no use on patients."
        )
    warnings += [
        f"Never predicted: {label.replace('_', ' ')}, {task.structure_titles[label]}. The references of the held-out "
        "cases have it, and it is missed in every one of them."
        for label in never_predicted
    ]
    if any(fold.choose == "best" for fold in folds):
        warnings.append(
            "The epoch was chosen by its Dice on the very cases that the scores are of (`checkpoint.select: best`), so "
            "that the scores are optimistic."
        )
    return warnings
