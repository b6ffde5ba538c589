"""What became of a new patient."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Patient:
    """What became of a case. problems, warnings: codes, comma-separated. detail: the messages of the problems.

    volumes: mm³ by structure, empty where the case was not segmented. windowed: whether the mask is made of windows.
    changed: voxels that each step of the post-processing changed.
    """

    case: str
    problems: str = ""
    detail: str = ""
    warnings: str = ""
    volumes: dict[str, float] = field(default_factory=dict)
    windowed: bool = False
    changed: dict[str, int] = field(default_factory=dict)

    @property
    def segmented(self) -> bool:
        """Whether there is a mask."""
        return not self.problems
