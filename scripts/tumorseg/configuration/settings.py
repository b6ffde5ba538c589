"""The sections of the configuration as dataclasses; `config.yaml` documents each key.

The sections `model`, `training`, `prediction` and `figures` have theirs where they are used: `Architecture`,
`TrainingSettings`, `PredictionSettings` with `PostprocessingSettings`, and `FigureSettings`. A test compares all of
them with `config.yaml` and its schema.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self, TypeVar

LabelMap = Mapping[int, int]
Section = TypeVar("Section")


@dataclass(frozen=True)
class CohortSettings:
    """Which cases there are, how their masks are read, and which of them are held out."""

    task: str
    root: str | tuple[str, ...]
    samples: str | None
    labels: str
    label_map: LabelMap | None
    shape: tuple[int, int, int] | None
    max_voxels: int
    empty_masks: Literal["drop", "keep"]
    expected_usable: int | None
    shards: int
    folds: int
    validation_fraction: float
    patient: str | None
    split_file: str | None
    seed: int


@dataclass(frozen=True)
class DemoSettings:
    """The embedded demo cohort."""

    cases: int
    spacing_mm: float
    seed: int


@dataclass(frozen=True)
class NormalisationSettings:
    """What happens to the intensities, and how much is kept around the brain."""

    clip_percentiles: tuple[float, float]
    margin_voxels: int


@dataclass(frozen=True)
class TrainingRunSettings:
    """The keys of `training` that change nothing in what a training computes: how far it goes, and what it reports."""

    epochs: int
    tensorboard: bool


@dataclass(frozen=True)
class CheckpointSettings:
    """Which of the verified epochs becomes the model."""

    select: Literal["last", "best"]


@dataclass(frozen=True)
class EvaluationSettings:
    """How scores are computed and summarised, and which closer looks are taken."""

    surface_tolerance_mm: float
    confidence: float
    bootstrap_samples: int
    seed: int
    calibration: bool
    leave_out_modalities: bool


@dataclass(frozen=True)
class ReportSettings:
    """viewer_cases: how many cases can be looked through, or their names."""

    viewer_cases: int | tuple[str, ...]


@dataclass(frozen=True)
class SegmentSettings:
    """New patients, and the models for them."""

    cases: str | None
    models: str | tuple[str, ...] | None


@dataclass(frozen=True)
class ScoreSettings:
    """Masks to score. label_map: of all folders of predictions, or one for each."""

    predictions: str | tuple[str, ...] | None
    references: str | None
    label_map: LabelMap | tuple[LabelMap | None, ...] | None


@dataclass(frozen=True)
class Settings:
    """The sections that have no class elsewhere. demo: None where the cohort is a user's own."""

    cohort: CohortSettings
    demo: DemoSettings | None
    normalisation: NormalisationSettings
    checkpoint: CheckpointSettings
    evaluation: EvaluationSettings
    report: ReportSettings
    segment: SegmentSettings
    score: ScoreSettings

    @classmethod
    def from_config(cls, configuration: Mapping[str, Any]) -> Self:
        """The sections of a configuration that follows the schema."""
        return cls(
            cohort=read_section(CohortSettings, configuration["cohort"]),
            demo=read_section(DemoSettings, configuration["demo"]) if configuration["demo"] else None,
            normalisation=read_section(NormalisationSettings, configuration["normalisation"]),
            checkpoint=read_section(CheckpointSettings, configuration["checkpoint"]),
            evaluation=read_section(EvaluationSettings, configuration["evaluation"]),
            report=read_section(ReportSettings, configuration["report"]),
            segment=read_section(SegmentSettings, configuration["segment"]),
            score=read_section(ScoreSettings, configuration["score"]),
        )


def read_section(kind: type[Section], content: Mapping[str, Any]) -> Section:
    """A section from its keys, as YAML or JSON hold them: lists become tuples.

    Raises TypeError where `content` has other keys than `kind` has fields.
    """
    return kind(**{key: tuple(value) if isinstance(value, list) else value for key, value in content.items()})
