"""What a task is made of: channels, labels and regions."""

from dataclasses import dataclass


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
