"""`dataset.json` of nnU-Net and of the Medical Segmentation Decathlon: what it says of channels and labels."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from tumorseg.cohort.layouts.synonyms import channels_by_name, meaning_of, plain, region_of
from tumorseg.errors import UserError
from tumorseg.files import require_regular_file
from tumorseg.task import MAPPED, Task, built_in, load_task

NAME: Final = "dataset.json"


def read_dataset(path: Path, key: str) -> dict[str, Any]:
    """The content of the file; empty where there is none. Raises UserError where it cannot be read."""
    try:
        require_regular_file(path)
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{key}: {path} cannot be read as JSON ({error}); correct it") from None
    if not isinstance(content, dict):
        raise UserError(f"{key}: {path} has no keys; correct it")
    return content


def channel_names(content: Mapping[str, Any]) -> list[str]:
    """The names of the channels in their order; empty where the file does not give them."""
    given = content.get("channel_names") or content.get("modality") or {}
    if isinstance(given, list):
        return [str(name) for name in given]
    if not isinstance(given, Mapping) or not all(str(number).isdigit() for number in given):
        return []
    return [str(given[number]) for number in sorted(given, key=int)]


def channels_of(names: list[str], task: Task, path: Path, key: str) -> list[str]:
    """The task's channel of each channel of a data set, by their names.

    Raises UserError where a name is not that of a channel of the task, where two are, and where one is missing.
    """
    known = channels_by_name(task)
    found = [known.get(plain(name)) for name in names]
    has = ", ".join(channel.title for channel in task.channels)
    remedy = (
        f"correct channel_names in {path}, set cohort.task to the task of this data set, or give cohort.samples a "
        "sample sheet"
    )
    if unknown := [name for name, channel in zip(names, found, strict=True) if channel is None]:
        raise UserError(
            f"{key}: the channel {unknown[0]} of {path} is none of the task {task.name}, which has {has}; {remedy}"
        )
    channels = [channel for channel in found if channel]
    if twice := [names[index] for index, channel in enumerate(channels) if channel in channels[:index]]:
        raise UserError(f"{key}: two channels of {path} mean the same, one of them {twice[0]}; {remedy}")
    lacking = [channel.title for channel in task.channels if channel.name not in channels and not channel.optional]
    if lacking:
        raise UserError(f"{key}: {path} has no channel {lacking[0]}, while the task {task.name} has {has}; {remedy}")
    return channels


def check_labels(content: Mapping[str, Any], task: Task, path: Path, key: str) -> str | None:
    """Raise UserError where the names of the labels speak against the task.

    Returned is a sentence where they speak against `cohort.label_map`, which counts; None where all is well.
    """
    said = _labels_by_name(content)
    meant = {value: label for value, names in said.items() if (label := _label(names, said, task)) is not None}
    if any(not _wrong(task.values(convention), meant) for convention in task.conventions):
        return None
    wrong_by = {name: _wrong(task.values(name), meant) for name in task.conventions}
    convention = min(wrong_by, key=lambda name: len(wrong_by[name]))
    values, wrong = task.values(convention), wrong_by[convention][0]
    read_as = "no label"
    if wrong in values:
        read_as = f"label {values[wrong]}, {task.label_titles.get(values[wrong], 'background')}"
    text = (
        f"{path} says that {wrong} marks {' in '.join(said[wrong])}, while the task {task.name} reads it as {read_as}"
    )
    if convention == MAPPED:
        return f"{key}: {text} by cohort.label_map; the map counts"
    proposed = "{" + ", ".join(f"{value}: {meant[value]}" for value in sorted(meant)) + "}"
    if lost := [value for value in sorted(meant) if meant[value] == 0]:
        text += f"; the task has no such label as {' in '.join(said[lost[0]])}, which would become background"
    raise UserError(f"{key}: {text}. If that is so, set cohort.label_map to {proposed}, or cohort.task to another task")


def volume_tasks() -> str:
    """The built-in tasks whose channels are in one file of four dimensions, as part of a sentence."""
    return " or ".join(name for name in built_in() if load_task(name).channels[0].volume is not None)


def _labels_by_name(content: Mapping[str, Any]) -> dict[int, tuple[str, ...]]:
    """The names of each value of masks, without background: one, or those of the regions that it belongs to.

    nnU-Net writes name to value, or to a list of values for a region; the Decathlon writes value to name.
    """
    given = content.get("labels")
    found: dict[int, list[str]] = {}
    for key, value in given.items() if isinstance(given, Mapping) else ():
        pairs = [(key, value)] if str(key).isdigit() else [(number, key) for number in _numbers(value)]
        for number, name in pairs:
            found.setdefault(int(number), []).append(str(name))
    return {number: tuple(names) for number, names in found.items() if number}


def _numbers(value: Any) -> Iterable[int]:
    values = value if isinstance(value, list) else [value]
    return [int(item) for item in values if str(item).isdigit()]


def _label(names: tuple[str, ...], said: Mapping[int, tuple[str, ...]], task: Task) -> int | None:
    """The task's label that is meant; 0 where the task has no such label, None where the name does not say it."""
    nested = [name for others in said.values() if len(others) > 1 for name in others]
    regions = {region for name in nested if (region := region_of(name, task))}
    if regions:
        own = {region for name in names if (region := region_of(name, task))}
        of_label = {
            label: {name for name in regions if label in task.region_labels[name]} for label in task.label_values
        }
        fitting = [label for label, its_regions in of_label.items() if its_regions == own]
        return fitting[0] if len(fitting) == 1 else None
    meaning = meaning_of(names[0])
    return None if meaning is None else task.label_of(meaning) or 0


def _wrong(values: Mapping[int, int], meant: Mapping[int, int]) -> list[int]:
    """The values of masks that a convention reads as something else than is meant."""
    return [value for value in sorted(meant) if values.get(value, -1) != meant[value]]
