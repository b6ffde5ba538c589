"""Names for the same contrast, label or region, as public data sets and tools have them: `names.yaml`."""

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
    """A name as it is compared: lower case, letters and digits only."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


@cache
def _load_names() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(_NAMES_FILE.read_text(encoding="utf-8"))
    return content


def channels_by_name(task: Task) -> dict[str, str]:
    """The channel of each name that can mean one of the task's channels; names as `plain` gives them."""
    found: dict[str, str] = {}
    for channel in task.channels:
        own = {simplify_name(name) for name in (channel.name, channel.title, *channel.files)}
        for group in _load_names()["contrasts"]:
            if own & set(group):
                found.update(dict.fromkeys(group, channel.name))
    for channel in task.channels:  # what the task itself says comes before what others call alike
        found.update({simplify_name(name): channel.name for name in (channel.name, channel.title, *channel.files)})
    return found


def roles_by_name(task: Task) -> dict[str, str]:
    """The channel, or `seg`, of each name that an image or mask may have; names as `plain` gives them."""
    masks = dict.fromkeys((*_load_names()["masks"], *map(simplify_name, task.mask_files)), MASK)
    return {**masks, **channels_by_name(task)}


def role_by_synonym(stem: str, known: Mapping[str, str]) -> tuple[str, str] | None:
    """Case and role by the longest end of a name that `roles_by_name` knows, of at most three parts.

    `TCGA-02-0006_t1Gd` is ("TCGA-02-0006", "t1ce"). The case is empty where the name says the role and nothing else.
    """
    if simplify_name(stem) in known:
        return "", known[simplify_name(stem)]
    for sign in list(re.finditer("[-_]", stem))[-3:]:
        if role := known.get(simplify_name(stem[sign.end() :])):
            return stem[: sign.start()], role
    return None


def is_contrast_name(name: str) -> bool:
    """Whether a name is that of a contrast, of whatever task; as `plain` gives it."""
    return any(name in group for group in _load_names()["contrasts"])


def label_meaning(name: str) -> str | None:
    """What a label of this name marks, as in `Label.meaning`; None where the name does not say it."""
    return next((meaning for meaning, group in _load_names()["meanings"].items() if simplify_name(name) in group), None)


def region_by_name(name: str, task: Task) -> str | None:
    """The region of the task that this name means; None where there is none."""
    wanted = simplify_name(name)
    for region in task.regions:
        own = {simplify_name(region.name), simplify_name(region.title)}
        alike = {other for group in _load_names()["regions"] if own & set(group) for other in group}
        if wanted in own | alike:
            return region.name
    return None
