"""Names for the same contrast, label or region, as public data sets and tools have them: `names.yaml`."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tumorseg.cohort.naming import MASK
from tumorseg.task import Task

_FILE = Path(__file__).parent / "names.yaml"


def plain(name: str) -> str:
    """A name as it is compared: lower case, letters and digits only."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


@cache
def _names() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    return content


def channels_by_name(task: Task) -> dict[str, str]:
    """The channel of each name that can mean one of the task's channels; names as `plain` gives them."""
    found: dict[str, str] = {}
    for channel in task.channels:
        own = {plain(name) for name in (channel.name, channel.title, *channel.files)}
        for group in _names()["contrasts"]:
            if own & set(group):
                found.update(dict.fromkeys(group, channel.name))
    for channel in task.channels:  # what the task itself says comes before what others call alike
        found.update({plain(name): channel.name for name in (channel.name, channel.title, *channel.files)})
    return found


def roles_by_name(task: Task) -> dict[str, str]:
    """The channel, or `seg`, of each name that an image or mask may have; names as `plain` gives them."""
    masks = dict.fromkeys((*_names()["masks"], *map(plain, task.mask_files)), MASK)
    return {**masks, **channels_by_name(task)}


def other_role(stem: str, known: Mapping[str, str]) -> tuple[str, str] | None:
    """Case and role by the longest end of a name that `roles_by_name` knows, of at most three parts.

    `TCGA-02-0006_t1Gd` is ("TCGA-02-0006", "t1ce"). The case is empty where the name says the role and nothing else.
    """
    if plain(stem) in known:
        return "", known[plain(stem)]
    for sign in list(re.finditer("[-_]", stem))[-3:]:
        if role := known.get(plain(stem[sign.end() :])):
            return stem[: sign.start()], role
    return None


def is_contrast(name: str) -> bool:
    """Whether a name is that of a contrast, of whatever task; as `plain` gives it."""
    return any(name in group for group in _names()["contrasts"])


def meaning_of(name: str) -> str | None:
    """What a label of this name marks, as in `Label.meaning`; None where the name does not say it."""
    return next((meaning for meaning, group in _names()["meanings"].items() if plain(name) in group), None)


def region_of(name: str, task: Task) -> str | None:
    """The region of the task that this name means; None where there is none."""
    wanted = plain(name)
    for region in task.regions:
        own = {plain(region.name), plain(region.title)}
        alike = {other for group in _names()["regions"] if own & set(group) for other in group}
        if wanted in own | alike:
            return region.name
    return None
