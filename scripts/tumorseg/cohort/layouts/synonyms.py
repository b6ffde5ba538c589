"""Look up the synonyms of contrasts, labels and regions in public data sets and tools: `names.yaml`."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tumorseg.cohort.file_names import MASK
from tumorseg.task import Task

_NAMES_FILE = Path(__file__).parent / "names.yaml"


def simplify_name(name: str) -> str:
    """Return a name in the form in which names are compared: lower case, letters and digits only."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


@cache
def _load_names() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(_NAMES_FILE.read_text(encoding="utf-8"))
    return content


def channels_by_name(task: Task) -> dict[str, str]:
    """Return the channel of each simplified name that can mean one of the task's channels."""
    found: dict[str, str] = {}
    for channel in task.channels:
        own_names = {simplify_name(name) for name in (channel.name, channel.title, *channel.files)}
        for group in _load_names()["contrasts"]:
            if own_names & set(group):
                found.update(dict.fromkeys(group, channel.name))
    for channel in task.channels:  # the task's own names take precedence over synonyms
        found.update({simplify_name(name): channel.name for name in (channel.name, channel.title, *channel.files)})
    return found


def roles_by_name(task: Task) -> dict[str, str]:
    """Return the channel, or `seg`, of each simplified name that an image or mask may have."""
    masks = dict.fromkeys((*_load_names()["masks"], *map(simplify_name, task.mask_files)), MASK)
    return {**masks, **channels_by_name(task)}


def role_by_synonym(stem: str, known: Mapping[str, str]) -> tuple[str, str] | None:
    """Split a name into case and role by its longest known suffix, of at most three parts.

    Args:
        stem: a file name without its ending.
        known: the role of each simplified name, from `roles_by_name`.

    Returns:
        ("TCGA-02-0006", "t1ce") for `TCGA-02-0006_t1Gd`; the case is empty if the name is only a role. None if no
        suffix is known.
    """
    if simplify_name(stem) in known:
        return "", known[simplify_name(stem)]
    for separator in list(re.finditer("[-_]", stem))[-3:]:
        if role := known.get(simplify_name(stem[separator.end() :])):
            return stem[: separator.start()], role
    return None


def is_contrast_name(name: str) -> bool:
    """Return whether a simplified name means a contrast, of any task."""
    return any(name in group for group in _load_names()["contrasts"])


def contrast_of_name(name: str) -> str | None:
    """Return the contrast that a simplified name means, by its first name such as `t1ce`; None if there is none."""
    return next((group[0] for group in _load_names()["contrasts"] if name in group), None)


def label_meaning(name: str) -> str | None:
    """Return the meaning of a label with this name, as in `Label.meaning`; None if it is unknown."""
    return next((meaning for meaning, group in _load_names()["meanings"].items() if simplify_name(name) in group), None)


def region_by_name(name: str, task: Task) -> str | None:
    """Return the task's region that this name means; None if there is none."""
    simple_name = simplify_name(name)
    for region in task.regions:
        own_names = {simplify_name(region.name), simplify_name(region.title)}
        synonyms = {other for group in _load_names()["regions"] if own_names & set(group) for other in group}
        if simple_name in own_names | synonyms:
            return region.name
    return None
