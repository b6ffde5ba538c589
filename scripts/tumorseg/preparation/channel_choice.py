"""Choose one image for each channel of a task among candidates, by rules that are the same for DICOM and NIfTI."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tumorseg.cohort.layouts.synonyms import channels_by_name
from tumorseg.cohort.validation_result import Issue
from tumorseg.errors import Message
from tumorseg.formatting import format_list
from tumorseg.preparation.sequence_names import FLAIR, T1, T1CE, T2
from tumorseg.task import Task

ISOTROPIC_MM: Final = 1.6
"""Images whose voxels have no longer edge than this count as isotropic."""
_SAME_SIZE: Final = 0.02
"""Sizes in mm that differ by less than this fraction are equal."""
MIN_SLICES: Final = 6
"""Images with fewer slices cannot show a brain, as localizers; a brain of 12 cm in slices of 7 mm has 17."""
SHEET_REMEDY: Final[Message] = "name the correct one in a sample sheet (segment.samples or cohort.samples)"


@dataclass(frozen=True)
class Candidate:
    """An image that may be used for a channel.

    Attributes:
        label: how messages and tables name it.
        contrast: `t1`, `t1ce`, `t2` or `flair`, or a channel of the task; None if it was not recognised.
        left: why it cannot be used; empty if it can.
        complete: whether no slice is missing.
        derived: whether it was computed from other images, or processed afterwards.
        uncorrected: whether it is the version of a series without correction of distortion.
        agent_named: whether its name says that it was made after contrast agent.
        after_agent: whether an image that is no T1 was made after contrast agent.
        fat_saturated: whether fat is suppressed.
        plane: `axial` or another one.
        shape: voxels along rows, columns and slices.
        spacing_mm: voxel edges along rows, columns and slices.
        by_timing: whether only the timings of the sequence gave the contrast.
    """

    label: str
    contrast: str | None
    left: str = ""
    complete: bool = True
    derived: bool = False
    uncorrected: bool = False
    agent_named: bool = False
    after_agent: bool = False
    fat_saturated: bool = False
    plane: str = ""
    shape: tuple[int, ...] = ()
    spacing_mm: tuple[float, ...] = ()
    by_timing: bool = False


def is_isotropic(image: Candidate) -> bool:
    """Return whether all voxel edges are at most `ISOTROPIC_MM`."""
    return max(image.spacing_mm, default=99.0) <= ISOTROPIC_MM


def field_of_view_mm3(image: Candidate) -> float:
    """Return the volume of the field of view; 0 if it is unknown."""
    return math.prod(image.shape) * math.prod(image.spacing_mm) if image.shape else 0.0


@dataclass(frozen=True)
class ChannelChoice:
    """The chosen images.

    Attributes:
        chosen: position of the candidate by channel.
        decisions: what was decided about each candidate, in their order.
        problems: channels for which no rule decides.
        warnings: choices to look at.
    """

    chosen: dict[str, int]
    decisions: tuple[str, ...]
    problems: tuple[Issue, ...]
    warnings: tuple[Issue, ...]


@dataclass(frozen=True)
class _Rule:
    """A reason to prefer a candidate: the one with the larger value, by more than `tolerance` as a fraction."""

    words: str
    value: Callable[[Candidate], float]
    tolerance: float = 0.0
    by_size: bool = False


_RULES: Final = (
    _Rule("it is complete", lambda image: image.complete),
    _Rule("its name says what it is", lambda image: not image.by_timing),
    _Rule("it is an original image, not derived or processed", lambda image: not image.derived),
    _Rule("its distortion is corrected", lambda image: not image.uncorrected),
    _Rule("its name says that it has contrast agent", lambda image: image.contrast != T1CE or image.agent_named),
    _Rule("it was made before contrast agent", lambda image: not image.after_agent),
    _Rule("its voxels are isotropic", is_isotropic),
    _Rule("its slices are axial", lambda image: is_isotropic(image) or image.plane == "axial"),
    _Rule("its fat is not suppressed", lambda image: not image.fat_saturated),
    _Rule("its slices are closer", lambda image: -max(image.spacing_mm, default=99.0), _SAME_SIZE, by_size=True),
    _Rule("it has more slices", lambda image: min(image.shape, default=0), by_size=True),
    _Rule("its field of view is larger", field_of_view_mm3, _SAME_SIZE, by_size=True),
)
"""The rules in their order: a later one counts only where all earlier ones do not differ."""


def choose_channels(candidates: Sequence[Candidate], task: Task, case: str) -> ChannelChoice:
    """Choose one candidate for each channel of a task.

    Args:
        candidates: the images of one patient.
        task: its channels are looked up by their names and the synonyms of these.
        case: name of the patient, for the issues.

    Returns:
        The choice. A channel without a candidate is neither a problem nor a warning here.
    """
    channels = _channel_of_contrast(task)
    decisions = [_reason_left(candidate, channels) for candidate in candidates]
    chosen: dict[str, int] = {}
    problems: list[Issue] = []
    usable_places = {
        channel: [
            place
            for place, image in enumerate(candidates)
            if not decisions[place] and channels[image.contrast or ""] == channel
        ]
        for channel in task.channel_names
    }
    warnings: list[Issue] = []
    for channel, usable in usable_places.items():
        ranked, reasons = _rank(usable, candidates)
        if not ranked:
            continue
        best = ranked[0]
        if reasons and reasons[0] is None:
            equal = [place for place in ranked if _first_difference(candidates[best], candidates[place]) is None]
            names = format_list([candidates[place].label for place in equal])
            problems.append(Issue("equal_images", case, f"{names} fit {channel} equally well; {SHEET_REMEDY}"))
            for place in ranked:
                decisions[place] = f"left: equal candidates for {channel}" if place in equal else f"left for {channel}"
            continue
        chosen[channel] = best
        decisions[best] = f"chosen for {channel}"
        decisions[best] += f": {reasons[0].words}" if reasons and reasons[0] else ""
        for place, rule in zip(ranked[1:], reasons, strict=True):
            decisions[place] = f"left: {candidates[best].label} is {channel}" + (f", {rule.words}" if rule else "")
        warnings += _choice_warnings(candidates[best], channel, reasons, [candidates[i] for i in ranked[1:]], case)
    warnings += _agent_warnings(usable_places, channels, candidates, case)
    return ChannelChoice(chosen, tuple(decisions), tuple(problems), tuple(warnings))


def missing_channel_warnings(chosen: Mapping[str, object], task: Task, case: str) -> tuple[Issue, ...]:
    """Return a warning if channels of the task have no image."""
    missing = [channel.title for channel in task.channels if channel.name not in chosen]
    if not missing:
        return ()
    message = (
        f"no image was recognised as {format_list(missing)}; series.tsv says why each image was left: if it is there, "
        f"{SHEET_REMEDY}"
    )
    return (Issue("channel_not_found", case, message),)


def _agent_warnings(
    usable: Mapping[str, Sequence[int]], channels: Mapping[str, str], candidates: Sequence[Candidate], case: str
) -> list[Issue]:
    """Return the warning about several T1 with contrast agent and none without: one of them may have none."""
    t1, t1ce = channels.get(T1), channels.get(T1CE)
    if t1 is None or t1ce is None or usable[t1] or len(usable[t1ce]) < 2:
        return []
    images = format_list([candidates[place].label for place in usable[t1ce]])
    message = (
        f"{images} are all {t1ce}, and none is {t1}; look whether one was made before contrast agent: {SHEET_REMEDY}"
    )
    return [Issue("doubtful_contrast_agent", case, message)]


def _channel_of_contrast(task: Task) -> dict[str, str]:
    """Return the channel of the task that each contrast is; a channel is found by its own name, too."""
    names = channels_by_name(task)
    found = {contrast: names[contrast] for contrast in (T1, T1CE, T2, FLAIR) if contrast in names}
    return {name: name for name in task.channel_names} | found


def _reason_left(candidate: Candidate, channels: Mapping[str, str]) -> str:
    """Return why a candidate cannot be used, as a decision; empty if it can."""
    if candidate.left:
        return f"left: {candidate.left}"
    if candidate.contrast is None:
        return "left: its sequence was not recognised"
    if candidate.contrast not in channels:
        return f"left: the task has no channel {candidate.contrast}"
    return ""


def _first_difference(one: Candidate, other: Candidate) -> _Rule | None:
    """Return the first rule by which two candidates differ; None if all are equal."""
    return next((rule for rule in _RULES if _differ(rule, one, other)), None)


def _differ(rule: _Rule, one: Candidate, other: Candidate) -> bool:
    first, second = float(rule.value(one)), float(rule.value(other))
    return abs(first - second) > rule.tolerance * max(abs(first), abs(second))


def _rank(places: Sequence[int], candidates: Sequence[Candidate]) -> tuple[list[int], list[_Rule | None]]:
    """Return the candidates with the best one first, and for each other one the rule by which it is worse."""
    if not places:
        return [], []
    best = places[0]
    for place in places[1:]:
        rule = _first_difference(candidates[place], candidates[best])
        if rule is not None and rule.value(candidates[place]) > rule.value(candidates[best]):
            best = place
    others = [place for place in places if place != best]
    rules = {place: _first_difference(candidates[best], candidates[place]) for place in others}
    # The closest rivals come first: they are equal, or only the last rules differ.
    others.sort(key=lambda place: -_RULES.index(rule) if (rule := rules[place]) else -len(_RULES))
    return [best, *others], [rules[place] for place in others]


def _choice_warnings(
    best: Candidate, channel: str, reasons: Sequence[_Rule | None], others: Sequence[Candidate], case: str
) -> list[Issue]:
    found = []
    rivals = [other for other, rule in zip(others, reasons, strict=True) if rule is not None and rule.by_size]
    if rivals and reasons[0] is not None:
        message = (
            f"{format_list([best.label, *(rival.label for rival in rivals)])} are all {channel}; {best.label} is used, "
            f"because {reasons[0].words}: if that is wrong, {SHEET_REMEDY}"
        )
        found.append(Issue("several_images", case, message))
    if best.derived:
        message = f"{best.label} is used as {channel}, but it is a derived image; no original one was found"
        found.append(Issue("derived_image", case, message))
    if best.by_timing:
        message = (
            f"{best.label} is used as {channel} because of its timings (TR, TE, TI) alone; if that is wrong, "
            f"{SHEET_REMEDY}"
        )
        found.append(Issue("chosen_by_timings", case, message))
    return found
