"""`imagesTr` and `labelsTr`, as nnU-Net (one file a channel) and the Decathlon (one 4-D file a case) have them."""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from tumorseg.cohort.case_files import CaseFiles
from tumorseg.cohort.layouts.dataset_json import (
    NAME,
    channel_names,
    channels_of,
    check_labels,
    read_dataset,
    volume_tasks,
)
from tumorseg.cohort.layouts.listing import Listing, few, join, sheet_hint
from tumorseg.cohort.layouts.plain import kind_of, with_masks
from tumorseg.cohort.naming import may_be_image, role_of, stem_of
from tumorseg.errors import UserError

_IMAGES, _MASKS, _NEW = "imagestr", "labelstr", "imagests"
_OWN: Final = (_IMAGES, _MASKS, _NEW, "labelsts")
_NUMBERED: Final = re.compile(r"(?P<case>.+)_(?P<channel>\d{4})")


def is_training_root(listing: Listing) -> bool:
    """Whether the root holds `imagesTr`, or files of nnU-Net themselves."""
    folders = {name.lower() for name in listing.folders("")}
    return bool(folders & {_IMAGES, _NEW}) or _numbered(listing, "")


def training_cases(listing: Listing, key: str, note: Callable[[str], object], *, masks: bool) -> list[CaseFiles] | None:
    """The cases below the root of such a data set; None where their files are named by the task's own patterns.

    masks: whether cases with masks are meant; where not, those in `imagesTs`, if there is such a folder. Raises
    UserError where the data set does not fit the task, with what to do.
    """
    place = {name.lower(): name for name in listing.folders("") if name.lower() in _OWN}
    images = place.get(_IMAGES, "") if masks or _NEW not in place else place[_NEW]
    if _IMAGES not in place and _NEW in place:
        images = place[_NEW]
    names = listing.files(images)
    path = listing.root / NAME
    if not path.exists() and not place:
        path = listing.root / ".." / NAME
    content = read_dataset(path, key)
    _refuse_other_files(listing, images, names, content, key)
    if not names and kind_of(listing, images):
        return None
    if not names:
        raise UserError(f"{key}: {listing.root / images} holds no .nii or .nii.gz file; put the images there")
    if sum(role_of(name, listing.task) is not None for name in names) * 2 > len(names):
        return None
    if others := [name for name in listing.folders("") if name.lower() not in _OWN and kind_of(listing, name)]:
        raise UserError(
            f"{key}: {listing.root} mixes layouts: {images} of nnU-Net or the Decathlon, and {others[0]} with cases; "
            f"keep one of them{sheet_hint(listing.root, listing.task, key)}"
        )
    cases = _cases(listing, images, channel_names(content), path, key)
    if not masks:
        return cases
    if said := check_labels(content, listing.task, path, key):
        note(said)
    folder = place.get(_MASKS)
    found = [(str(stem_of(name)), join(folder, name)) for name in listing.files(folder)] if folder else []
    return with_masks(cases, found)


def _cases(listing: Listing, images: str, channels: list[str], path: Path, key: str) -> list[CaseFiles]:
    task, where, names = listing.task, listing.root / images, listing.files(images)
    if _numbered(listing, images) and not listing.volumes:
        if not channels:
            raise UserError(
                f"{key}: {where} has nnU-Net's one file a channel ({names[0]}), and {path} does not name the channels; "
                f'add it, with channel_names such as {{"0": "{task.channels[0].title}", …}}'
                f"{sheet_hint(listing.root, task, key)}"
            )
        return _numbered_cases(images, names, channels_of(channels, task, path, key), path, key)
    if _numbered(listing, images):
        raise UserError(
            f"{key}: {where} has one file a channel ({names[0]}), while the task {task.name} has all channels in one "
            "file; set cohort.task to a task with one file a channel, such as brats-glioma"
        )
    if listing.volumes:
        _check_volumes(listing, channels, path, key)
        return [_whole(stem, images, name, task.channel_names) for name in names if (stem := stem_of(name))]
    if len(task.channels) == 1 and len(channels) == 1:
        only = channels_of(channels, task, path, key)
        return [_whole(stem, images, name, only) for name in names if (stem := stem_of(name))]
    raise UserError(
        f"{key}: {where} has one file a case ({names[0]}), as the Medical Segmentation Decathlon has them, with all "
        f"channels in one file of four dimensions, while the task {task.name} expects one file a channel; set "
        f"cohort.task to {volume_tasks()}"
    )


def _whole(case: str, images: str, name: str, channels: Sequence[str]) -> CaseFiles:
    return CaseFiles(case, {channel: (join(images, name),) for channel in sorted(channels)}, None)


def _numbered_cases(images: str, names: Sequence[str], channels: list[str], path: Path, key: str) -> list[CaseFiles]:
    files: dict[str, dict[str, tuple[str, ...]]] = defaultdict(dict)
    for name in names:
        match = _NUMBERED.fullmatch(str(stem_of(name)))
        if match is None or int(match["channel"]) >= len(channels):
            why = "its number is none of the channels of" if match else "it lacks the number of a channel of"
            raise UserError(f"{key}: {join(images, name)} is not understood: {why} {path}; rename it, or take it away")
        role = channels[int(match["channel"])]
        files[match["case"]][role] = (*files[match["case"]].get(role, ()), join(images, name))
    return [CaseFiles(case, dict(sorted(roles.items())), None) for case, roles in sorted(files.items())]


def _numbered(listing: Listing, folder: str) -> bool:
    """Whether the images are named as nnU-Net names them, and by no pattern of the task."""
    names = listing.files(folder)
    fitting = [name for name in names if _NUMBERED.fullmatch(str(stem_of(name))) and not role_of(name, listing.task)]
    cases = {str(stem_of(name))[:-5] for name in fitting}
    # Cases of the Decathlon may end in a number too, but not half of them in 0.
    first = {case for case in cases if any(f"{case}_0000{ending}" in names for ending in (".nii.gz", ".nii"))}
    return len(fitting) * 2 > len(names) and len(first) * 2 >= len(cases)


def _check_volumes(listing: Listing, channels: list[str], path: Path, key: str) -> None:
    """Refuse a file whose channels have another order than the task says."""
    if not channels:
        return
    found = channels_of(channels, listing.task, path, key)
    wanted = [channel.name for channel in sorted(listing.task.channels, key=lambda channel: channel.volume or 0)]
    if found != wanted:
        raise UserError(
            f"{key}: {path} names the channels in the order {', '.join(channels)}, while the task {listing.task.name} "
            f"reads {', '.join(wanted)}; set cohort.task to a task of your own with this order"
        )


def _refuse_other_files(
    listing: Listing, images: str, names: Sequence[str], content: Mapping[str, Any], key: str
) -> None:
    ending = str(content.get("file_ending", ".nii.gz"))
    others = [name for name, is_folder in listing.entries(images) if not is_folder and may_be_image(name)]
    if (others and not names) or ending.lower() not in (".nii", ".nii.gz"):
        what = few(others, 1) if others and not names else f"file_ending is {ending}"
        where = listing.root / images
        raise UserError(f"{key}: the images in {where} are no NIfTI files ({what}); convert them to .nii.gz")
