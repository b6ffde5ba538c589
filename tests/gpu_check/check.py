"""What a check is, and what it finds."""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from tests.gpu_check.scale import Scale


class Verdict(StrEnum):
    """Whether the claim of a check is true on this machine."""

    HELD = "held"
    FAILED = "did not hold"
    NOT_POSSIBLE = "not possible here"


@dataclass(frozen=True)
class Figure:
    """A measured number. The value may be NaN or infinite if the measurement went wrong."""

    name: str
    value: float
    unit: str = ""

    def text(self) -> str:
        """Return the number with four digits and its unit."""
        number = f"{self.value:.4g}" if math.isfinite(self.value) else "not finite"
        return f"{number} {self.unit}".strip()


@dataclass(frozen=True)
class Result:
    """What a check has found.

    reason: why the claim did not hold or could not be checked; may be a remark if it held.
    figures: all that was measured.
    seconds: duration of the check.
    log: the last lines that the check printed, if it did not hold.
    """

    verdict: Verdict
    reason: str = ""
    figures: tuple[Figure, ...] = ()
    seconds: float = 0.0
    log: str = ""

    @classmethod
    def judged(cls, figures: Sequence[Figure], problems: Sequence[str], remarks: Sequence[str] = ()) -> Self:
        """Return the result of a check that held if there are no problems. Remarks do not change the verdict."""
        verdict = Verdict.FAILED if problems else Verdict.HELD
        return cls(verdict, "; ".join([*problems, *remarks]), tuple(figures))

    @classmethod
    def not_possible(cls, reason: str) -> Self:
        """Return the result of a check that this machine does not allow."""
        return cls(Verdict.NOT_POSSIBLE, reason)

    def to_json(self) -> dict[str, Any]:
        """Return the result as plain JSON types; a value that is not finite is null."""
        figures = [
            {**asdict(figure), "value": figure.value if math.isfinite(figure.value) else None}
            for figure in self.figures
        ]
        return {**asdict(self), "verdict": str(self.verdict), "figures": figures}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Self:
        """Return the result from plain JSON types."""
        figures = (Figure(**figure) for figure in content["figures"])
        return cls(
            **{
                **content,
                "verdict": Verdict(content["verdict"]),
                "figures": tuple(
                    replace(figure, value=math.nan) if figure.value is None else figure for figure in figures
                ),
            }
        )


@dataclass(frozen=True)
class Check:
    """A check.

    name: its name on the command line and of its log.
    claim: what should be true, as a sentence.
    run: checks it. It gets the scale and the folder of the whole run, which all checks share.
    """

    name: str
    claim: str
    run: Callable[[Scale, Path], Result]
