"""Which prediction belongs to which reference, by their cases."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tumorseg.errors import UserError
from tumorseg.scoring.find import MaskFile, find_masks
from tumorseg.scoring.names import folder_names
from tumorseg.task import Task

_EXAMPLES: Final = 3


@dataclass(frozen=True)
class Pair:
    """A case as its reference spells it, and the path of each mask below its folder, None for a missing prediction."""

    case: str
    reference: str
    prediction: str | None


@dataclass(frozen=True)
class Matches:
    """A folder of predictions: a pair for every reference, sorted; the paths of predictions that have no reference."""

    folder: Path
    pairs: tuple[Pair, ...]
    without_reference: tuple[str, ...]


def match_folders(predictions: Sequence[Path], references: Path, task: Task) -> dict[str, Matches]:
    """The matches of each folder of predictions, by its name (see `folder_names`), in the order given.

    Raises UserError where a folder or its masks are not as they should be, see `find_masks`, where nothing in a folder
    matches, and where two folders have one name.
    """
    wanted = find_masks(references, task, "score.references")
    matches: dict[str, Matches] = {}
    for name, folder in zip(folder_names(predictions), predictions, strict=True):
        if name in matches:
            raise UserError(
                f"score.predictions: {matches[name].folder} and {folder} are one folder, or cannot be told apart by "
                "name; give each once, or rename one of them"
            )
        found = find_masks(folder, task, "score.predictions")
        if not found.keys() & wanted.keys():
            raise UserError(
                f"score.predictions: no mask below {folder} ({_examples(found)}) has its reference below "
                f"score.references, {references} ({_examples(wanted)}); name the masks of a case alike, or give other "
                "folders"
            )
        pairs = (
            Pair(reference.case, reference.path, found[case].path if case in found else None)
            for case, reference in wanted.items()
        )
        rest = (mask.path for case, mask in found.items() if case not in wanted)
        matches[name] = Matches(folder, tuple(pairs), tuple(rest))
    return matches


def _examples(masks: Mapping[str, MaskFile]) -> str:
    cases = [mask.case for mask in masks.values()]
    return f"cases {', '.join(cases[:_EXAMPLES])}{' …' if len(cases) > _EXAMPLES else ''}"
