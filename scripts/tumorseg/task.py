"""What a data set means: its channels, labels, regions and names, as one file below `workflow/tasks` says.

Nothing else in the code knows a channel, a label or a region by name. `Task` is what every function is given.
"""

import argparse
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final, Self

import yaml

from tumorseg.errors import UserError

FOLDER: Final = Path(__file__).parent / "tasks"
"""The built-in tasks; a link to `workflow/tasks`."""
DEFAULT: Final = "brats-glioma"
OWN_VALUES: Final = "task"
"""The only convention of a task that names none: masks write the labels as they are."""
MAPPED: Final = "label_map"
"""The only convention of a task whose masks are read by the user's own map of values."""


@dataclass(frozen=True)
class Channel:
    """An image of each case.

    name: short, for tables. title: for people. files: how the names of its files end, in lower case. volume: which one
    of a file of four dimensions, counted from 0; None where each channel has a file of its own. optional: a case may
    lack it. display: masks are drawn over this one. beside: it is shown beside that one where there is little room.
    """

    name: str
    title: str
    files: tuple[str, ...] = ()
    volume: int | None = None
    optional: bool = False
    display: bool = False
    beside: bool = False


@dataclass(frozen=True)
class Label:
    """A value of masks. meaning: what it marks, comparable between tasks. colour: as in `#0072B2`."""

    value: int
    title: str
    meaning: str
    colour: str


@dataclass(frozen=True)
class Region:
    """A union of labels, scored as one. removed_to, holes: the labels that post-processing gives.

    removed_to: what a voxel becomes that is taken off the region. holes: what background becomes that the region
    encloses; None where holes are not filled.
    """

    name: str
    title: str
    labels: tuple[int, ...]
    removed_to: int = 0
    holes: int | None = None


@dataclass(frozen=True)
class Task:
    """A data set's meaning. See `workflow/schemas/task.schema.yaml` for each key of its file.

    channels: in the network's order. mask_files: how the names of masks end. classes: outputs of the network, 0 being
    background. regions: the whole tumour first. conventions: for each way in which masks write the labels, the value on
    disk of each label, by label.
    """

    name: str
    title: str
    channels: tuple[Channel, ...]
    mask_files: tuple[str, ...]
    classes: int
    labels: tuple[Label, ...]
    regions: tuple[Region, ...]
    conventions: Mapping[str, Mapping[int, int]]
    case_name: str
    first_time_point: int = 0
    case_names: str | None = None
    grids: tuple[tuple[int, int, int], ...] = ()
    patient: str | None = None

    @cached_property
    def channel_names(self) -> tuple[str, ...]:
        """The names of the channels, in the network's order."""
        return tuple(channel.name for channel in self.channels)

    @cached_property
    def channel_titles(self) -> dict[str, str]:
        """The title of each channel, by name."""
        return {channel.name: channel.title for channel in self.channels}

    @cached_property
    def file_endings(self) -> tuple[tuple[str, str], ...]:
        """How the names of files end, in lower case, and the role of each: a channel's name, or `seg` of masks."""
        images = [(ending, channel.name) for channel in self.channels for ending in channel.files]
        return (*images, *((ending, "seg") for ending in self.mask_files))

    @cached_property
    def display_channel(self) -> int:
        """The position of the channel that masks are drawn over."""
        return next((place for place, channel in enumerate(self.channels) if channel.display), 0)

    @cached_property
    def main_channels(self) -> tuple[int, ...]:
        """The positions of the channels to show where there is little room, the display channel last."""
        beside = (place for place, channel in enumerate(self.channels) if channel.beside)
        return (*(place for place in beside if place != self.display_channel), self.display_channel)

    @cached_property
    def label_values(self) -> tuple[int, ...]:
        """The values of the labels, without background."""
        return tuple(label.value for label in self.labels)

    @cached_property
    def label_titles(self) -> dict[int, str]:
        """The title of each label, by value."""
        return {label.value: label.title for label in self.labels}

    @cached_property
    def unused_classes(self) -> tuple[int, ...]:
        """The classes that no voxel has, which the network must never choose."""
        return tuple(sorted(set(range(self.classes)) - {0, *self.label_values}))

    @cached_property
    def region_labels(self) -> dict[str, tuple[int, ...]]:
        """The labels of each region, by name."""
        return {region.name: region.labels for region in self.regions}

    @cached_property
    def label_structures(self) -> tuple[str, ...]:
        """The names of the labels as structures: `label_1` …"""
        return tuple(f"label_{value}" for value in self.label_values)

    @cached_property
    def structures(self) -> dict[str, tuple[int, ...]]:
        """The labels of all that is scored, by name: the regions, then each label by itself."""
        return {**self.region_labels, **{f"label_{value}": (value,) for value in self.label_values}}

    @cached_property
    def structure_titles(self) -> dict[str, str]:
        """The title of each structure, by name."""
        regions = {region.name: region.title for region in self.regions}
        return {**regions, **{f"label_{label.value}": label.title for label in self.labels}}

    @property
    def whole(self) -> str:
        """The name of the region that stands for the whole tumour."""
        return self.regions[0].name

    def label_of(self, meaning: str) -> int | None:
        """The label with a meaning; None where the task has none."""
        return next((label.value for label in self.labels if label.meaning == meaning), None)

    def values(self, convention: str) -> dict[int, int]:
        """What each value of a mask on disk means: value to label, background included."""
        if convention == MAPPED:
            return {0: 0, **self.conventions[MAPPED]}
        written = self.conventions[convention]
        return {0: 0, **{written.get(value, value): value for value in self.label_values}}

    def written(self, convention: str | None) -> dict[int, int]:
        """The value on disk of each label, background included.

        convention: one of `conventions`; None for the first one. A label map that is not one-to-one cannot be undone;
        the labels then stay as they are.
        """
        values = self.values(convention or next(iter(self.conventions)))
        back = {label: value for value, label in values.items()}
        if len(back) != len(values) or set(back) != {0, *self.label_values}:
            return {label: label for label in (0, *self.label_values)}
        return back

    def meanings(self, convention: str) -> dict[int, str]:
        """What each value of a mask on disk marks, without background."""
        by_label = {label.value: label.meaning for label in self.labels}
        return {value: by_label[label] for value, label in self.values(convention).items() if label}

    def with_label_map(self, label_map: Mapping[int, int]) -> "Task":
        """The same task, whose masks are read by a map of the user's: value on disk to label.

        Raises UserError where the map gives a label that the task does not have.
        """
        if unknown := sorted(set(label_map.values()) - {0, *self.label_values}):
            known = ", ".join(map(str, (0, *self.label_values)))
            raise UserError(f"label_map: {unknown[0]} is no label of the task {self.name}, which has {known}")
        if label_map.get(0, 0) != 0:
            raise UserError(f"label_map: 0 is background and cannot become {label_map[0]}; take it out")
        given = {value: label for value, label in label_map.items() if value != 0}
        return self._with(conventions={MAPPED: given})

    @property
    def label_map(self) -> dict[int, int] | None:
        """The user's own map of values, None without one."""
        return dict(self.conventions[MAPPED]) if MAPPED in self.conventions else None

    def _with(self, **changes: Any) -> "Task":
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return Task(**{**fields, **changes})

    def facts(self) -> dict[str, Any]:
        """What results depend on, in plain JSON types: nothing that only people read, and nothing that finds files."""
        return {
            "channels": {
                channel.name: {"volume": channel.volume, "optional": channel.optional} for channel in self.channels
            },
            "classes": self.classes,
            "labels": list(self.label_values),
            "regions": {
                region.name: {"labels": list(region.labels), "removed_to": region.removed_to, "holes": region.holes}
                for region in self.regions
            },
            "conventions": {
                name: {str(label): value for label, value in written.items()}
                for name, written in self.conventions.items()
            },
        }

    def to_json(self) -> str:
        """The task as one line of JSON with sorted keys."""
        content = asdict(self)
        content["conventions"] = {
            name: {str(label): value for label, value in written.items()} for name, written in self.conventions.items()
        }
        return json.dumps(content, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The task that `to_json` wrote."""
        content = json.loads(text)
        return cls(
            **{
                **content,
                "channels": tuple(
                    Channel(**{**channel, "files": tuple(channel["files"])}) for channel in content["channels"]
                ),
                "mask_files": tuple(content["mask_files"]),
                "labels": tuple(Label(**label) for label in content["labels"]),
                "regions": tuple(
                    Region(**{**region, "labels": tuple(region["labels"])}) for region in content["regions"]
                ),
                "conventions": {
                    name: {int(label): value for label, value in written.items()}
                    for name, written in content["conventions"].items()
                },
                "grids": tuple(tuple(grid) for grid in content["grids"]),
            }
        )


def built_in() -> list[str]:
    """The names of the built-in tasks."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


@cache
def known_tasks() -> tuple[Task, ...]:
    """All built-in tasks."""
    return tuple(load_task(name) for name in built_in())


def task_path(name: str) -> Path:
    """The file of a task. name: a built-in one, or a path. Raises UserError where there is no such file."""
    own = FOLDER / f"{name}.yaml"
    if name in built_in():
        return own
    path = Path(name).expanduser()
    if path.suffix.lower() not in (".yaml", ".yml") or not path.is_file():
        raise UserError(
            f"cohort.task: there is no task {name}; it has to be one of {', '.join(built_in())}, or the path of a "
            "YAML file such as those in workflow/tasks"
        )
    return path


def load_task(name: str = DEFAULT) -> Task:
    """A built-in task, or the task in a YAML file.

    Raises UserError where there is no such task, where the file cannot be read, and where it contradicts itself.

    Example:
        >>> load_task("brats-glioma").region_labels["TC"]
        (1, 4)
    """
    path = task_path(name)
    return task_from(read_content(path), path.stem, str(path))


def read_content(path: Path) -> dict[str, Any]:
    """The keys of a task's file. Raises UserError where it cannot be read or has none."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(f"cohort.task: {path} cannot be read as YAML ({error}); correct it") from None
    if not isinstance(content, dict):
        raise UserError(f"cohort.task: {path} has no keys; copy one of the files in workflow/tasks and edit it")
    return content


def task_from(content: Mapping[str, Any], name: str, place: str) -> Task:
    """The task with the content of a file that follows `workflow/schemas/task.schema.yaml`. place: for messages.

    Raises UserError where parts of it do not fit together.
    """
    channels = tuple(
        Channel(key, **{**given, "files": tuple(end.lower() for end in given.get("files", ()))})
        for key, given in content["channels"].items()
    )
    labels = tuple(Label(int(value), **given) for value, given in content["labels"].items())
    regions = tuple(
        Region(key, **{**given, "labels": tuple(given["labels"])}) for key, given in content["regions"].items()
    )
    conventions = content.get("conventions") or {OWN_VALUES: {}}
    task = Task(
        name=name,
        title=content["title"],
        channels=channels,
        mask_files=tuple(end.lower() for end in content.get("mask", {}).get("files", ())),
        classes=content["classes"],
        labels=labels,
        regions=regions,
        conventions={str(key): {int(k): v for k, v in (value or {}).items()} for key, value in conventions.items()},
        case_name=content["case_name"],
        first_time_point=content.get("first_time_point", 0),
        case_names=content.get("case_names"),
        grids=tuple((x, y, z) for x, y, z in content.get("grids", ())),
        patient=content.get("patient"),
    )
    if wrong := _contradiction(task):
        raise UserError(f"cohort.task: {place}: {wrong}; correct it")
    return task


def _contradiction(task: Task) -> str | None:
    """What does not fit together in a task, or None."""
    values = set(task.label_values)
    names = [*task.channel_names, "seg"]
    endings = [end for channel in task.channels for end in channel.files] + list(task.mask_files)
    if max(values) >= task.classes:
        return f"label {max(values)} needs at least {max(values) + 1} classes, while there are {task.classes}"
    if "seg" in task.channel_names or any(not re.fullmatch(r"[a-z0-9]+", name) for name in task.channel_names):
        return f"channels need names of lower-case letters and digits, other than seg, not {', '.join(names[:-1])}"
    if twice := _twice(endings):
        return f"files that end in {twice} belong to two channels"
    if twice := _twice([channel.volume for channel in task.channels if channel.volume is not None]):
        return f"volume {twice} belongs to two channels"
    if len({channel.volume is None for channel in task.channels}) > 1:
        return "either all channels have the key volume, or none"
    if sum(channel.display for channel in task.channels) > 1:
        return "masks are drawn over one channel, and display is true for more"
    for region in task.regions:
        if strange := {*region.labels, region.removed_to, region.holes or 0} - {0, *values}:
            return f"region {region.name} has the label {min(strange)}, which is not among the labels"
        if region.removed_to in region.labels:
            return f"region {region.name}: removed_to must be a label outside the region"
    for convention, written in task.conventions.items():
        if strange := set(written) - values:
            return f"convention {convention} writes the label {min(strange)}, which is not among the labels"
        if twice := _twice([written.get(value, value) for value in task.label_values]):
            return f"convention {convention} writes two labels as {twice}"
    return _wrong_pattern(task)


def _wrong_pattern(task: Task) -> str | None:
    for key in ("case_names", "patient"):
        try:
            re.compile(getattr(task, key) or "")
        except re.error as error:
            return f"{key} is no regular expression ({error})"
    try:
        task.case_name.format(patient=1, time_point=0)
    except (KeyError, IndexError, ValueError):
        return "case_name may have {patient} and {time_point} in it, and nothing else in braces"
    return None


def _twice(items: Sequence[Any]) -> Any:
    """The first item that is there twice, None without one."""
    seen = set()
    for item in items:
        if item in seen:
            return item
        seen.add(item)
    return None


def task_argument(text: str) -> Task:
    """The task that a command line names: its JSON, the name of a built-in one, or the path of a YAML file."""
    return Task.from_json(text) if text.lstrip().startswith("{") else load_task(text)


def add_task_option(parser: argparse.ArgumentParser) -> None:
    """Add the option `--task` to a command line."""
    parser.add_argument(
        "--task", type=task_argument, required=True, help="the task, as JSON, its name in workflow/tasks, or its file"
    )
