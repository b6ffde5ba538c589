"""Which of the verified epochs to go on with."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from tumorseg.errors import Message, UserError
from tumorseg.places import named


def choose_epoch(
    verifications: Sequence[dict[str, Any]], validation_dice: dict[int, float], choose: Literal["last", "best"]
) -> int:
    """The last sound epoch, or the sound epoch of the best validation Dice (of equal ones the earlier).

    verifications: the verdict on each checkpoint (`epoch`, `ok`, `file`, `problems`). Raises UserError, naming every
    file and its problem, when no epoch is sound, and when the best is wanted of epochs whose Dice is not known.
    """
    sound: list[int] = [verdict["epoch"] for verdict in verifications if verdict["ok"]]
    if not sound:
        refused = "\n".join(f"  {line}" for line in refusals(verifications))
        raise UserError(f"no checkpoint is sound:\n{refused}")
    if choose == "last":
        return max(sound)
    if unknown := [epoch for epoch in sound if epoch not in validation_dice]:
        raise UserError(
            f"epoch {unknown[0]}: its record was damaged after it was verified; run again to verify it anew"
        )
    return max(sorted(sound), key=lambda epoch: validation_dice[epoch])


def remedy(checkpoint: Path) -> Message:
    """What to do about an unsound checkpoint: which file to delete, in Snakemake's shared cache too if it is there."""
    return f"Delete {named(checkpoint)} and run again to train that epoch, and those after it, anew"


def refusals(verifications: Sequence[dict[str, Any]]) -> list[str]:
    """One line for each refused checkpoint: its file, what is wrong with it, and what to do."""
    return [
        f"{verdict['file']} {'; '.join(problem['message'] for problem in verdict['problems'])}. "
        f"{remedy(Path(verdict['file']))}"
        for verdict in verifications
        if not verdict["ok"]
    ]
