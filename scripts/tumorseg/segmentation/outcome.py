"""What became of a new patient."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from tumorseg.cohort.verdict import Finding, in_words


@dataclass(frozen=True)
class Patient:
    """What became of a case. problems: codes, comma-separated. detail: the messages of the problems.

    warnings: what is unusual about the case, as given, and about it as an input of the models. volumes: mm³ by
    structure, empty where the case was not segmented. windowed: whether the mask is made of windows. changed: voxels
    that each step of the post-processing changed. files: `path`, `bytes` and `digest` of each image, as in `Verdict`.
    """

    case: str
    problems: str = ""
    detail: str = ""
    warnings: tuple[Finding, ...] = ()
    volumes: dict[str, float] = field(default_factory=dict)
    windowed: bool = False
    changed: dict[str, int] = field(default_factory=dict)
    files: list[dict[str, Any]] = field(default_factory=list)

    @property
    def segmented(self) -> bool:
        """Whether there is a mask."""
        return not self.problems

    @property
    def warning_codes(self) -> list[str]:
        """The codes of the warnings, each once."""
        return list(dict.fromkeys(warning.code for warning in self.warnings))

    @property
    def warning_messages(self) -> list[str]:
        """The warnings in words, each once."""
        return list(dict.fromkeys(" ".join(in_words(warning, self.case).split()) for warning in self.warnings))

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """From plain JSON types."""
        return cls(**{**content, "warnings": tuple(Finding(**warning) for warning in content["warnings"])})
