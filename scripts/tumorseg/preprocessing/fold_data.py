"""The data of a fold: its cases, each with the digest of its normalised file.

A checkpoint records these digests, so that training never continues on other data.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tumorseg.cohort.splits import FoldAssignment, fold_digest, split_digest, training_cases, validation_cases
from tumorseg.cohort.validation_result import ValidationResult
from tumorseg.errors import Message, UserError
from tumorseg.io.files import describe_locations, read_json, write_json
from tumorseg.preprocessing.store import case_digest, case_origin, find_case

FORMAT: Final = 1


@dataclass(frozen=True)
class FoldData:
    """The cases of a fold.

    Attributes:
        fold: number of the fold.
        training: `store.case_digest` of each training case, by case.
        held_out: the same for the held-out cases.
        synthetic: the same for the synthetic cases of the training.
        simulated: what decides the cases that the training itself simulates, if it does: `settings`, the normalisation
            settings, and `code`, the digest of the code that simulates them.
    """

    fold: int
    training: dict[str, str]
    held_out: dict[str, str]
    synthetic: dict[str, str] = field(default_factory=dict)
    simulated: dict[str, Any] | None = None

    @property
    def split(self) -> str:
        """The digest of the case names alone, see `splits.split_digest`."""
        return split_digest(self.training, self.held_out)

    def as_dict(self) -> dict[str, dict[str, Any]]:
        """Return the digests of all parts, sorted by case. Synthetic and simulated cases are parts only if used."""
        parts = {"training": self.training, "held_out": self.held_out}
        if self.synthetic:
            parts["synthetic"] = self.synthetic
        if self.simulated is not None:
            parts["simulated"] = self.simulated
        return {name: dict(sorted(content.items())) for name, content in parts.items()}


def collect_fold_data(
    folders: Sequence[Path],
    splits: Sequence[FoldAssignment],
    fold: int,
    results: Mapping[str, ValidationResult],
    synthetic_folders: Sequence[Path] = (),
    *,
    simulated: dict[str, Any] | None = None,
) -> FoldData:
    """Return the data of a fold, read from the folders of normalised cases.

    Args:
        folders: one folder of normalised cases for each shard.
        splits: the fold of each case.
        fold: number of the fold.
        results: validation result of each case.
        synthetic_folders: folders of synthetic cases.
        simulated: see `FoldData`.

    Raises:
        UserError: a case is missing, or was not normalised from the validated files.
    """
    training, validation = (
        {case: _validated_digest(find_case(folders, case), results[case]) for case in sorted(cases)}
        for cases in (training_cases(splits, fold), validation_cases(splits, fold))
    )
    synthetic = sorted(path for folder in synthetic_folders for path in folder.glob("*.safetensors"))
    return FoldData(fold, training, validation, {path.stem: case_digest(path) for path in synthetic}, simulated)


def _validated_digest(path: Path, result: ValidationResult) -> str:
    validated = {role: facts["digest"] for role, facts in result.facts["files"].items()}
    if case_origin(path).files != validated:
        raise UserError(
            f"{path}: this case was not normalised from the files that were validated; delete its folder "
            f"{describe_locations(path.parent)} and run again"
        )
    return case_digest(path)


def write_fold_data(path: Path, data: FoldData) -> None:
    """Write the data of a fold as JSON."""
    write_json(path, {"format": FORMAT, "fold": data.fold, **data.as_dict()})


def read_fold_data(path: Path, fold: int) -> FoldData:
    """Return the data that `write_fold_data` wrote.

    Raises:
        UserError: the file is corrupted or of another fold.
    """  # noqa: DOC501
    content = read_json(path)
    try:
        if (content["format"], content["fold"]) != (FORMAT, fold):
            raise ValueError(f"it has format {content['format']} and fold {content['fold']}")
        training, held_out = (dict(content[name]) for name in ("training", "held_out"))
        return FoldData(fold, training, held_out, dict(content.get("synthetic", {})), content.get("simulated"))
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path}: this is not the data of fold {fold} ({error}); delete it and run again") from None


def find_cases(folders: Sequence[Path], digests: Mapping[str, str]) -> list[Path]:
    """Return the files of normalised cases and check their digests.

    Args:
        folders: one folder of normalised cases for each shard.
        digests: expected `store.case_digest` of each case.

    Returns:
        One file for each case, in the order of `digests`.

    Raises:
        UserError: a case is missing or has another digest.
    """
    paths = [find_case(folders, case) for case in digests]
    for path, digest in zip(paths, digests.values(), strict=True):
        if case_digest(path) != digest:
            raise UserError(
                f"{path}: this normalised case has changed since the data of the folds were listed; delete its folder "
                f"{describe_locations(path.parent)} and run again"
            )
    return paths


def held_out_cases(folders: Sequence[Path], data: Path, splits: Sequence[FoldAssignment], fold: int) -> dict[str, Path]:
    """Return the normalised files of the held-out cases of a fold.

    Args:
        folders: one folder of normalised cases for each shard.
        data: file with the data of the fold.
        splits: the fold of each case.
        fold: number of the fold.

    Returns:
        The file of each case, sorted by case.

    Raises:
        UserError: `data` is of another split, or a case is missing or has another digest.
    """
    listed = read_fold_data(data, fold)
    if listed.split != fold_digest(splits, fold):
        raise UserError(f"{data}: this is the data of another split; delete it and run again")
    cases = dict(sorted(listed.held_out.items()))
    return dict(zip(cases, find_cases(folders, cases), strict=True))


def data_difference(found: Any, expected: FoldData) -> tuple[str, Message] | None:
    """Return how the data of a checkpoint differ from the expected data, as problem code and message.

    Args:
        found: the data that the checkpoint records, in the form of `FoldData.as_dict`.
        expected: data of the fold.

    Returns:
        The code and message of a `CheckpointProblem`, or None if the data are equal.

    Raises:
        TypeError: `found` has another form.
        AttributeError: `found` has another form.
        KeyError: `found` lacks a part or a case.
    """
    names = {"training": "training", "held_out": "held-out", "synthetic": "synthetic"}
    wanted, found = ({"synthetic": {}, **parts} for parts in (expected.as_dict(), dict(found)))
    changes: list[Message] = []
    for part, name in names.items():
        changes += _count_cases(set(found[part]) - set(wanted[part]), f"{name} case", "added")
        changes += _count_cases(set(wanted[part]) - set(found[part]), f"{name} case", "missing")
    if changes:
        return "wrong_split", f"was trained on another split: {', '.join(changes)}"
    if found.get("simulated") != wanted.get("simulated"):
        return "wrong_data", "was trained on cases that other code, or another normalisation, has simulated"
    other = {case for part in names for case, digest in wanted[part].items() if found[part][case] != digest}
    if other:
        return "wrong_data", f"was trained on other normalised data: {_count_cases(other, 'case', 'changed')[0]}"
    return None


def _count_cases(cases: set[str], unit: Message, word: Message) -> list[Message]:
    """Return `["3 training cases added (such as X)"]`, or an empty list if there are no cases."""
    if not cases:
        return []
    plural = "" if len(cases) == 1 else "s"
    example: Message = min(cases) if len(cases) == 1 else f"such as {min(cases)}"
    return [f"{len(cases)} {unit}{plural} {word} ({example})"]
