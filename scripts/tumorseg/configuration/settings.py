"""The sections of the configuration as dataclasses; `config.yaml` documents each key.

The dataclasses of `model`, `training`, `prediction` and `figures` are in the packages that use them: `Architecture`,
`TrainingSettings`, `PredictionSettings` and `FigureSettings`. A test compares all of them with `config.yaml` and its
schema.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self, TypeVar

LabelMap = Mapping[int, int]
Section = TypeVar("Section")


@dataclass(frozen=True)
class CohortSettings:
    """The cases, the meaning of their masks, and the split."""

    task: str
    root: str | tuple[str, ...]
    samples: str | None
    prepare: Literal["none", "auto", "full"]
    labels: str
    label_map: LabelMap | None
    shape: tuple[int, int, int] | None
    max_voxels: int
    empty_masks: Literal["drop", "keep"]
    exclude: str | None
    expected_usable: int | None
    shards: int
    folds: int
    validation_fraction: float
    patient: str | None
    split_file: str | None
    seed: int


@dataclass(frozen=True)
class DemoSettings:
    """The demo cohort."""

    cases: int
    spacing_mm: float
    seed: int


@dataclass(frozen=True)
class NormalisationSettings:
    """The normalisation of intensities, the crop to the brain, and the voxel size of the network's input."""

    clip_percentiles: tuple[float, float]
    margin_voxels: int
    spacing_mm: float | tuple[float, float, float] | None


@dataclass(frozen=True)
class TrainingRunSettings:
    """The keys of `training` that do not change the result of an epoch."""

    epochs: int
    tensorboard: bool


@dataclass(frozen=True)
class CheckpointSettings:
    """The choice of the checkpoint that becomes the model."""

    select: Literal["last", "best"]


@dataclass(frozen=True)
class EvaluationSettings:
    """How scores are computed and summarised, and which optional analyses run."""

    surface_tolerance_mm: float
    confidence: float
    bootstrap_samples: int
    seed: int
    calibration: bool
    leave_out_modalities: bool
    challenge_2026: bool


@dataclass(frozen=True)
class ReportSettings:
    """The report's viewer: the number of its cases, or their names."""

    viewer_cases: int | tuple[str, ...]


@dataclass(frozen=True)
class PostprocessingSettings:
    """The settings of `prediction` that the target `postprocessing` tries, beside no post-processing."""

    remove_components_mm3: tuple[float, ...]
    min_enhancing_mm3: tuple[float, ...]
    fill_holes: bool


@dataclass(frozen=True)
class LearningCurveSettings:
    """The learning curve: the numbers of training cases, and the seeds and epochs of its trainings."""

    cases: tuple[int, ...]
    seeds: tuple[int, ...]
    epochs: int | None


@dataclass(frozen=True)
class SegmentSettings:
    """New patients, their preparation, and the models to segment them with."""

    cases: str | None
    samples: str | None
    prepare: Literal["auto", "none", "full"]
    atlas: str
    mask_channels: tuple[str, ...]
    models: str | tuple[str, ...] | None


@dataclass(frozen=True)
class ScoreSettings:
    """Masks to score. `label_map` holds for all folders of predictions, or is a tuple with one map for each.

    `baseline` is the name of the folder of predictions that the others are compared with.
    """

    references: str | None
    predictions: str | tuple[str, ...] | None
    label_map: LabelMap | tuple[LabelMap | None, ...] | None
    baseline: str | None


@dataclass(frozen=True)
class Settings:
    """The sections of the configuration without a class elsewhere. `demo` is None for a cohort of the user."""

    cohort: CohortSettings
    demo: DemoSettings | None
    normalisation: NormalisationSettings
    checkpoint: CheckpointSettings
    evaluation: EvaluationSettings
    report: ReportSettings
    postprocessing: PostprocessingSettings
    learning_curve: LearningCurveSettings
    segment: SegmentSettings
    score: ScoreSettings

    @classmethod
    def from_config(cls, configuration: Mapping[str, Any]) -> Self:
        """Read the sections of a configuration that follows the schema."""
        return cls(
            cohort=read_section(CohortSettings, configuration["cohort"]),
            demo=read_section(DemoSettings, configuration["demo"]) if configuration["demo"] else None,
            normalisation=read_section(NormalisationSettings, configuration["normalisation"]),
            checkpoint=read_section(CheckpointSettings, configuration["checkpoint"]),
            evaluation=read_section(EvaluationSettings, configuration["evaluation"]),
            report=read_section(ReportSettings, configuration["report"]),
            postprocessing=read_section(PostprocessingSettings, configuration["postprocessing"]),
            learning_curve=read_section(LearningCurveSettings, configuration["learning_curve"]),
            segment=read_section(SegmentSettings, configuration["segment"]),
            score=read_section(ScoreSettings, configuration["score"]),
        )


def read_section(kind: type[Section], content: Mapping[str, Any]) -> Section:
    """Return a section as its dataclass; lists become tuples.

    Args:
        kind: the dataclass.
        content: the section as read from YAML or JSON.

    Returns:
        An object of the dataclass.

    Raises:
        TypeError: the keys differ from the fields of the dataclass.
    """
    return kind(**{key: tuple(value) if isinstance(value, list) else value for key, value in content.items()})
