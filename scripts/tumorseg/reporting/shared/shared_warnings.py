"""Find the warnings that all cases have, such as voxels of 2.5 mm, to say them once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from tumorseg.cohort.validation_result import WARNING_CODES
from tumorseg.preparation.issue_codes import PREPARATION_WARNINGS

_MEANINGS: Final = {**WARNING_CODES, **PREPARATION_WARNINGS}


class CodedMessage(Protocol):
    """A warning about a case."""

    @property
    def code(self) -> str: ...  # noqa: D102

    @property
    def message(self) -> str: ...  # noqa: D102


@dataclass(frozen=True)
class SharedWarning:
    """A warning that all usable cases have.

    Attributes:
        code: its code.
        text: its message if it is the same in all cases, else the meaning of the code.
    """

    code: str
    text: str


def shared_warnings(warnings: Sequence[Sequence[CodedMessage]]) -> list[SharedWarning]:
    """Return the warnings that all cases have, sorted by code; none if there is a single case.

    Args:
        warnings: the warnings of each usable case.
    """
    if len(warnings) < 2:
        return []
    common = set.intersection(*({warning.code for warning in of_case} for of_case in warnings))
    messages: dict[str, set[str]] = {code: set() for code in sorted(common)}
    for of_case in warnings:
        for warning in of_case:
            if warning.code in messages:
                messages[warning.code].add(str(warning.message))
    return [
        SharedWarning(code, f"{texts.pop()}." if len(texts) == 1 else _MEANINGS[code])
        for code, texts in messages.items()
    ]
