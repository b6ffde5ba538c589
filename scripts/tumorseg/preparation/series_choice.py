"""Recognise what each DICOM series shows, and choose one for each channel."""

from collections.abc import Sequence
from typing import Final

from tumorseg.formatting import format_count
from tumorseg.preparation.channel_choice import (
    MIN_SLICES,
    Candidate,
    ChannelChoice,
    choose_channels,
    missing_channel_warnings,
)
from tumorseg.preparation.dicom_series import DicomSeries
from tumorseg.preparation.sequence_names import FLAIR, T1, T1CE, T2, read_name
from tumorseg.preparation.series_checks import (
    incomplete_series,
    invalid_dates,
    is_head,
    missing_instances,
    nothing_usable,
    several_dates,
    several_patients,
    several_studies,
    short_series,
)
from tumorseg.task import Task

_OTHER_IMAGE_TYPES: Final[dict[str, str]] = {
    "LOCALIZER": "a localizer",
    "ADC": "a diffusion image or map",
    "DIFFUSION": "a diffusion image or map",
    "TRACEW": "a diffusion image or map",
    "FA": "a diffusion image or map",
    "PERFUSION": "a perfusion image or map",
    "ASL": "a perfusion image or map",
    "SUBTRACTION": "a subtraction",
    "SUBTRACT": "a subtraction",
    "MIP": "a projection (MIP)",
    "MNIP": "a projection (MIP)",
    "MIN IP": "a projection (MIP)",
    "PROJECTION IMAGE": "a projection (MIP)",
    "SWI": "a susceptibility or T2* image",
    "P": "a phase image",
    "PHASE": "a phase image",
    "PHASE MAP": "a phase image",
    "R": "a real or imaginary image",
    "I": "a real or imaginary image",
    "FAT": "an image of fat (Dixon)",
    "OPP_PHASE": "an image of opposed phase (Dixon)",
    "T1 MAP": "a map or a synthetic image",
    "T2 MAP": "a map or a synthetic image",
    "SCREEN SAVE": "a report or screen shot",
}
"""What an image is, by a value of ImageType."""
_DERIVED: Final = frozenset({"DERIVED", "SECONDARY", "MPR", "REFORMATTED", "RESAMPLED", "AVERAGE"})
"""Values of ImageType of images that were computed from others."""
_UNCORRECTED: Final = "ND"
"""Value of ImageType of images whose distortion is not corrected."""
_MIN_B_VALUE: Final = 10.0


def choose_series(series: Sequence[DicomSeries], task: Task, case: str) -> ChannelChoice:
    """Choose one series for each channel of a task.

    Args:
        series: all series of a patient.
        task: defines the channels.
        case: name of the patient, for the issues.

    Returns:
        The choice. Its problems include chosen series that are incomplete, and the reason if no series can be used.
    """
    agent_time = _first_agent_time(series)
    candidates = [_candidate(one, agent_time) for one in series]
    choice = choose_channels(candidates, task, case)
    usable = [one for one, candidate in zip(series, candidates, strict=True) if not candidate.left]
    problems = [*several_patients(series, case), *several_dates(usable, case), *choice.problems]
    for channel, place in choice.chosen.items():
        problems += incomplete_series(series[place], channel, case)
    if not problems:
        problems += short_series({channel: series[place] for channel, place in choice.chosen.items()}, case)
    used = [series[place] for place in choice.chosen.values()]
    warnings = [*choice.warnings, *several_studies(used, case), *invalid_dates(used, case)]
    warnings += [
        issue for channel, place in choice.chosen.items() for issue in missing_instances(series[place], channel, case)
    ]
    if not (choice.chosen or problems):
        problems.append(nothing_usable(series, [candidate.left for candidate in candidates], case))
    elif problems:
        warnings = []
    else:
        warnings += missing_channel_warnings(choice.chosen, task, case)
    return ChannelChoice(choice.chosen, choice.decisions, tuple(problems), tuple(warnings))


def _candidate(series: DicomSeries, agent_time: str) -> Candidate:
    header, clues = series.header, read_name(series.header.description)
    left = _other_kind(series) or clues.other or _no_volume(series)
    by_name, by_timing = clues.contrast, _contrast_of_timings(series)
    # An inversion recovery such as `T1 FLAIR` has both words, and its timings are not those of a FLAIR.
    contrast = by_name or by_timing
    if by_name and _contradict(by_name, series):
        left = left or f"its name means {by_name.upper()}, but its timings do not (TE {series.echo_time_ms:g} ms)"
    agent = clues.agent
    if agent is None and header.agent:
        agent = True
    if contrast == T1 and agent is None and agent_time and header.time > agent_time:
        left = left or "it was made after contrast agent, but neither its name nor its header says so"
    return Candidate(
        label=series.label,
        contrast=T1CE if contrast == T1 and agent else contrast,
        left=left,
        complete=not (series.missing_slices or series.truncated_slices),
        derived=bool(_DERIVED & set(header.image_type)),
        uncorrected=_UNCORRECTED in header.image_type,
        agent_named=bool(clues.agent),
        after_agent=bool(agent) and contrast != T1,
        fat_saturated=clues.fat_saturated,
        plane=series.plane,
        shape=(header.columns or 0, header.rows or 0, series.slices),
        spacing_mm=(*(header.pixel_spacing_mm or ())[::-1], series.spacing_mm or 0.0),
        by_timing=by_name is None,
    )


def _other_kind(series: DicomSeries) -> str:
    """Return what a series is instead of an MR image of a head by its header; empty if it may be one."""
    header = series.header
    if header.modality != "MR":
        return f"its modality is {header.modality or 'unknown'}, not MR"
    if kind := next((_OTHER_IMAGE_TYPES[part] for part in header.image_type[1:] if part in _OTHER_IMAGE_TYPES), None):
        return kind
    if (header.b_value or 0.0) >= _MIN_B_VALUE:
        return "a diffusion image or map"
    if not is_head(header.body_part):
        return f"its body part is {header.body_part}"
    return ""


def _no_volume(series: DicomSeries) -> str:
    """Return why the slices of a series are not a volume that can be used; empty if they may be one."""
    header = series.header
    if series.directions > 1:
        return f"its slices have {series.directions} directions, as in a localizer"
    if not series.centres_mm or header.pixel_spacing_mm is None or not (header.rows and header.columns):
        return "its header gives no position of its slices"
    if series.mixed_sizes:
        return "its slices have different sizes"
    if series.duplicate_positions:
        return "it has several slices at one position (a dynamic series, or several volumes)"
    if series.slices + series.missing_slices < MIN_SLICES:
        return f"it has {format_count(series.slices, 'slice')} only"
    return ""


def _first_agent_time(series: Sequence[DicomSeries]) -> str:
    """Return the time of the first T1 after contrast agent, as HHMMSS; empty if there is none or it is unknown."""
    times = [
        one.header.time
        for one in series
        if one.header.modality == "MR" and one.header.time
        for clues in [read_name(one.header.description)]
        if clues.agent or (clues.agent is None and one.header.agent and clues.contrast == T1)
    ]
    return min(times, default="")


def _contrast_of_timings(series: DicomSeries) -> str | None:
    """Return the contrast of a spin echo or MPRAGE by its timings in ms; None if they fit none or several.

    Echo-planar images have timings of a T2, but are for diffusion or perfusion.
    """
    te_ms, tr_ms, ti_ms = series.echo_time_ms, series.header.tr_ms, series.header.ti_ms or 0.0
    if te_ms is None or tr_ms is None or "EP" in series.header.sequence.split("/"):
        return None
    if "GR" in series.header.sequence and "SE" not in series.header.sequence:
        # Other gradient echoes may be angiographies or T2* images.
        return T1 if 500 <= ti_ms <= 1400 and te_ms < 10 and series.header.acquisition == "3D" else None
    if ti_ms >= 1400 and tr_ms >= 4000 and te_ms >= 60:
        return FLAIR
    if ti_ms == 0 and tr_ms <= 1000 and te_ms <= 30:
        return T1
    if ti_ms == 0 and tr_ms >= 2000 and te_ms >= 70:
        return T2
    return None


def _contradict(contrast: str, series: DicomSeries) -> bool:
    """Return whether the echo time cannot be that of a contrast; an unknown one cannot contradict."""
    te_ms = series.echo_time_ms
    if te_ms is None or te_ms <= 0:
        return False
    return te_ms > 60 if contrast == T1 else te_ms < 40
