"""The definition of a task: the channels, labels, regions and file names of a data set."""

import json
from collections.abc import Container, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from itertools import combinations
from typing import Any, Final, Self

from tumorseg.errors import UserError


@dataclass(frozen=True)
class Channel:
    """A channel: one of the images of each case.

    Attributes:
        name: short name, used in tables.
        title: name on pages and figures.
        files: endings of its file names, in lower case.
        volume: index of the channel in a 4D file, from 0; None if each channel has its own file.
        optional: whether a case without this channel is usable.
        display: whether masks are drawn over this channel.
        beside: whether figures with room for few channels show it beside the display channel.
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
    """A label of the masks.

    Attributes:
        value: canonical value in masks.
        title: name on pages and figures.
        meaning: tissue that the label marks, comparable between tasks.
        colour: hexadecimal colour, such as `#0072B2`.
    """

    value: int
    title: str
    meaning: str
    colour: str


@dataclass(frozen=True)
class Region:
    """A union of labels that is scored as one structure.

    Attributes:
        name: short name, such as `WT`.
        title: name on pages and figures.
        labels: values of its labels.
        removed_to: label that post-processing gives to voxels it removes from the region.
        holes: label that post-processing gives to enclosed background; None if holes are not filled.
    """

    name: str
    title: str
    labels: tuple[int, ...]
    removed_to: int = 0
    holes: int | None = None


DEFAULT_CONVENTION: Final = "task"
"""The convention of a task that defines none: masks contain the canonical labels."""
LABEL_MAP_CONVENTION: Final = "label_map"
"""The only convention of a task with a label map of the user."""


@dataclass(frozen=True)
class Task:
    """The channels, labels, regions and file names of a data set, as its YAML file defines them.

    `workflow/schemas/task.schema.yaml` explains each key of the file. `tumorseg.load_task` reads a task.

    Attributes:
        name: name of the built-in task, or of the file without its ending.
        title: title on pages.
        channels: channels in the network's order.
        mask_files: endings of the file names of masks, in lower case.
        classes: number of output classes of the network; 0 is background.
        labels: labels without background.
        regions: regions; the first one is the whole tumour.
        conventions: the mask conventions by name. Each gives the value on disk of the labels that it writes as another
            value.
        case_name: pattern of the names of demo cases.
        first_time_point: number of the first time point of demo patients.
        case_names: regular expression for names that only cases of this task have.
        grids: usual numbers of voxels along X, Y and Z.
        patient: regular expression whose group is the patient in the name of a case.
        whole_head: whether the images show the whole head, with skull; new patients are then not prepared.

    Example:
        >>> tumorseg.load_task("brats-glioma").channel_names
        ('t1', 't1ce', 't2', 'flair')
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
    whole_head: bool = False

    @cached_property
    def channel_names(self) -> tuple[str, ...]:
        """The names of the channels, in the network's order."""
        return tuple(channel.name for channel in self.channels)

    @cached_property
    def channel_titles(self) -> dict[str, str]:
        """The title of each channel, by name."""
        return {channel.name: channel.title for channel in self.channels}

    @cached_property
    def channel_subsets(self) -> tuple[tuple[str, ...], ...]:
        """All non-empty subsets of the channels, the largest first, each in the network's order.

        With n channels these are 2^n - 1.
        """
        sizes = range(len(self.channels), 0, -1)
        return tuple(subset for size in sizes for subset in combinations(self.channel_names, size))

    def channels_among(self, names: Container[str]) -> tuple[str, ...]:
        """Return the names that are channels, in the network's order."""
        return tuple(name for name in self.channel_names if name in names)

    def with_optional_channels(self) -> "Task":
        """Return the same task with all of its channels optional."""
        return self._with(channels=tuple(replace(channel, optional=True) for channel in self.channels))

    @cached_property
    def file_endings(self) -> tuple[tuple[str, str], ...]:
        """Each ending of file names, in lower case, with its role: the name of a channel, or `seg` for masks."""
        images = [(ending, channel.name) for channel in self.channels for ending in channel.files]
        return (*images, *((ending, "seg") for ending in self.mask_files))

    @cached_property
    def display_channel(self) -> int:
        """The index of the channel that masks are drawn over."""
        return next((index for index, channel in enumerate(self.channels) if channel.display), 0)

    @cached_property
    def main_channels(self) -> tuple[int, ...]:
        """The indices of the channels that figures with room for few channels show, the display channel last."""
        beside = (index for index, channel in enumerate(self.channels) if channel.beside)
        return (*(index for index in beside if index != self.display_channel), self.display_channel)

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
        """The classes without a label, which a network must never predict."""
        return tuple(sorted(set(range(self.classes)) - {0, *self.label_values}))

    @cached_property
    def region_labels(self) -> dict[str, tuple[int, ...]]:
        """The labels of each region, by name."""
        return {region.name: region.labels for region in self.regions}

    @cached_property
    def label_structures(self) -> tuple[str, ...]:
        """The names of the labels as structures, such as `label_1`."""
        return tuple(f"label_{value}" for value in self.label_values)

    @cached_property
    def structures(self) -> dict[str, tuple[int, ...]]:
        """The labels of each scored structure, by name: first the regions, then each single label."""
        return {**self.region_labels, **{f"label_{value}": (value,) for value in self.label_values}}

    @cached_property
    def structure_titles(self) -> dict[str, str]:
        """The title of each structure, by name."""
        regions = {region.name: region.title for region in self.regions}
        return {**regions, **{f"label_{label.value}": label.title for label in self.labels}}

    @property
    def whole_tumour(self) -> str:
        """The name of the region that is the whole tumour."""
        return self.regions[0].name

    @property
    def enhancing_region(self) -> Region | None:
        """The region of enhancing tumour only; None if the task has none."""
        label = self.label_of("enhancing")
        return next((region for region in self.regions if region.labels == (label,)), None)

    def label_of(self, meaning: str) -> int | None:
        """Return the label with a meaning, such as `oedema`; None if the task has none."""
        return next((label.value for label in self.labels if label.meaning == meaning), None)

    def labels_by_value(self, convention: str) -> dict[int, int]:
        """Return the label of each value of a mask on disk, background included."""
        if convention == LABEL_MAP_CONVENTION:
            return {0: 0, **self.conventions[LABEL_MAP_CONVENTION]}
        written = self.conventions[convention]
        return {0: 0, **{written.get(value, value): value for value in self.label_values}}

    def values_by_label(self, convention: str | None) -> dict[int, int]:
        """Return the value on disk of each label, background included.

        A label map that is not one-to-one cannot be inverted. Labels are then written as they are.

        Args:
            convention: one of `conventions`; None for the first one.
        """
        values = self.labels_by_value(convention or next(iter(self.conventions)))
        back = {label: value for value, label in values.items()}
        if len(back) != len(values) or set(back) != {0, *self.label_values}:
            return {label: label for label in (0, *self.label_values)}
        return back

    def meanings_by_value(self, convention: str) -> dict[int, str]:
        """Return the meaning of each value of a mask on disk, without background."""
        by_label = {label.value: label.meaning for label in self.labels}
        return {value: by_label[label] for value, label in self.labels_by_value(convention).items() if label}

    def with_label_map(self, label_map: Mapping[int, int]) -> "Task":
        """Return the same task with a label map of the user in place of its conventions.

        Args:
            label_map: label of each value on disk.

        Raises:
            UserError: the map contains a label that the task does not have, or a label for 0.
        """
        if unknown := sorted(set(label_map.values()) - {0, *self.label_values}):
            known = ", ".join(map(str, (0, *self.label_values)))
            raise UserError(f"label_map: {unknown[0]} is not a label of the task {self.name}, which has {known}")
        if label_map.get(0, 0) != 0:
            raise UserError(f"label_map: 0 is background and cannot become {label_map[0]}; remove this entry")
        given = {value: label for value, label in label_map.items() if value != 0}
        return self._with(conventions={LABEL_MAP_CONVENTION: given})

    @property
    def label_map(self) -> dict[int, int] | None:
        """The label map of the user; None without one."""
        return dict(self.conventions[LABEL_MAP_CONVENTION]) if LABEL_MAP_CONVENTION in self.conventions else None

    def _with(self, **changes: Any) -> "Task":
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return Task(**{**fields, **changes})

    def facts(self) -> dict[str, Any]:
        """Return the parts that results depend on, as plain JSON types: no titles, colours or file names."""
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
        """Return the task as one line of JSON with sorted keys."""
        content = asdict(self)
        if not self.whole_head:  # as before this key existed, so that tasks of earlier models and runs are equal
            del content["whole_head"]
        content["conventions"] = {
            name: {str(label): value for label, value in written.items()} for name, written in self.conventions.items()
        }
        return json.dumps(content, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the task that `to_json` wrote."""
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
