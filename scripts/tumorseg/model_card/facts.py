"""What the model card says, computed from the results and free of any markup."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from tumorseg.cohort.splits import Assignment, held_out, trained_on
from tumorseg.labels import LABEL_STRUCTURES, REGIONS, STRUCTURE_NAMES
from tumorseg.model_card.inputs import Model, Results

_CONVENTIONS: Final = {
    "brats2021": "write enhancing tumour as 4 (BraTS until 2021)",
    "brats2023": "write enhancing tumour as 3 (BraTS 2023)",
    "mixed": "write enhancing tumour as 3 in some cases and as 4 in others",
    None: "show no enhancing tumour",
}


@dataclass(frozen=True)
class FoldFacts:
    """A fold and its model. refused: `epoch 3 (digest_mismatch)` for each checkpoint that was not sound."""

    fold: int
    trained: int
    held_out: int
    epoch: int
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

    reasons: dropped cases by problem code. convention: how the masks write enhancing tumour, in words. spacings: usable
    cases by voxel size in mm, such as `1x1x1`, the most common first. warnings: what a reader must not overlook.
    """

    found: int
    usable: int
    dropped: int
    reasons: dict[str, int]
    patients: int
    convention: str
    spacings: dict[str, int]
    folds: list[FoldFacts]
    scored: int
    confidence: float
    interval: str
    definitions: dict[str, str]
    regions: dict[str, StructureFacts]
    labels: dict[str, StructureFacts]
    warnings: list[str]


def gather(results: Results, configuration: Mapping[str, Any]) -> Facts:
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
        convention=_CONVENTIONS[results.check["convention"]],
        spacings={str(spacing): int(count) for spacing, count in usable["spacing"].value_counts().items()},
        folds=folds,
        scored=summary["cases"],
        confidence=summary["confidence"],
        interval=summary["interval"],
        definitions=summary["definitions"],
        regions={name: _structure_facts(name, summary) for name in REGIONS},
        labels={name: _structure_facts(name, summary) for name in LABEL_STRUCTURES},
        warnings=_warnings(folds, summary["never_predicted"], demo=bool(configuration["demo"])),
    )


def _fold_facts(model: Model, splits: list[Assignment]) -> FoldFacts:
    selection = model.selection
    fold = selection["fold"]
    return FoldFacts(
        fold=fold,
        trained=len(trained_on(splits, fold)),
        held_out=len(held_out(splits, fold)),
        epoch=selection["epoch"],
        choose=selection["choose"],
        refused=[
            f"epoch {refused['epoch']} ({', '.join(problem['code'] for problem in refused['problems'])})"
            for refused in selection["refused"]
        ],
        file=model.file,
        size=model.size,
        digest=selection["digest"],
    )


def _structure_facts(structure: str, summary: dict[str, Any]) -> StructureFacts:
    content = summary["structures"][structure]
    name = structure.replace("_", " ")
    return StructureFacts(f"{name}: {STRUCTURE_NAMES[structure]}", content["scores"], content["empty_reference"])


def _warnings(folds: list[FoldFacts], never_predicted: list[str], *, demo: bool) -> list[str]:
    warnings = []
    if demo:
        warnings.append(
            "Trained on the demo cohort of the workflow: synthetic tumours, drawn into the anatomy of a template. Of "
            "no use on patients."
        )
    warnings += [
        f"Never predicted: {label.replace('_', ' ')}, {STRUCTURE_NAMES[label]}. The references of the held-out cases "
        "have it, and it is missed in every one of them."
        for label in never_predicted
    ]
    if any(fold.choose == "best" for fold in folds):
        warnings.append(
            "The epoch was chosen by its Dice on the very cases that the scores are of (`checkpoint.choose: best`), so "
            "that the scores are optimistic."
        )
    return warnings
