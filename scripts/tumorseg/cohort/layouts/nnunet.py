"""Find the cases of nnU-Net (one file per channel) and the Decathlon (one 4D file per case).

Both use the folders `imagesTr` and `labelsTr`, and describe channels and labels in `dataset.json`.
"""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from tumorseg.cohort.case_files import CaseFiles
from tumorseg.cohort.file_names import case_and_role, may_be_image, nifti_stem
from tumorseg.cohort.layouts.folders import add_masks, folder_kind
from tumorseg.cohort.layouts.listing import Listing, abbreviate, join_path, sample_sheet_hint
from tumorseg.cohort.layouts.synonyms import channels_by_name, label_meaning, region_by_name, simplify_name
from tumorseg.errors import UserError
from tumorseg.io.files import require_regular_file
from tumorseg.task import LABEL_MAP_CONVENTION, Task, built_in_tasks, load_task

_IMAGES, _MASKS, _TEST_IMAGES = "imagestr", "labelstr", "imagests"
_KNOWN_FOLDERS: Final = (_IMAGES, _MASKS, _TEST_IMAGES, "labelsts")
_NUMBERED_NAME: Final = re.compile(r"(?P<case>.+)_(?P<channel>\d{4})")


def is_nnunet_root(listing: Listing) -> bool:
    """Return whether the root holds `imagesTr` or `imagesTs`, or is itself a folder of nnU-Net images."""
    folders = {name.lower() for name in listing.folders("")}
    return bool(folders & {_IMAGES, _TEST_IMAGES}) or _has_numbered_files(listing, "")


def nnunet_cases(listing: Listing, key: str, note: Callable[[str], object], *, masks: bool) -> list[CaseFiles] | None:
    """Return the cases of a data set of nnU-Net or the Decathlon.

    Args:
        listing: listing of the data set.
        key: configuration key that names the folder, for messages.
        note: called with a message about labels.
        masks: whether the cases have masks; if not, those in `imagesTs` are returned if the folder exists.

    Returns:
        The cases; None if the files are named by the task's own patterns.

    Raises:
        UserError: the data set does not fit the task; the message says what to do.
    """
    folders = {name.lower(): name for name in listing.folders("") if name.lower() in _KNOWN_FOLDERS}
    images = folders.get(_IMAGES, "") if masks or _TEST_IMAGES not in folders else folders[_TEST_IMAGES]
    if _IMAGES not in folders and _TEST_IMAGES in folders:
        images = folders[_TEST_IMAGES]
    names = listing.files(images)
    path = listing.root / DATASET_JSON
    if not path.exists() and not folders:
        path = listing.root / ".." / DATASET_JSON
    content = read_dataset_json(path, key)
    _raise_if_not_nifti(listing, images, names, content, key)
    if not names and folder_kind(listing, images):
        return None
    if not names:
        raise UserError(f"{key}: {listing.root / images} holds no .nii or .nii.gz file; put the images there")
    if sum(case_and_role(name, listing.task) is not None for name in names) * 2 > len(names):
        return None
    if others := [
        name for name in listing.folders("") if name.lower() not in _KNOWN_FOLDERS and folder_kind(listing, name)
    ]:
        raise UserError(
            f"{key}: {listing.root} mixes layouts: {images} of nnU-Net or the Decathlon, and {others[0]} with cases; "
            f"keep one of them{sample_sheet_hint(listing.root, listing.task, key)}"
        )
    cases = _read_cases(listing, images, channel_names(content), path, key)
    if not masks:
        return cases
    if label_note := check_labels(content, listing.task, path, key):
        note(label_note)
    folder = folders.get(_MASKS)
    masks_by_name = (
        [(str(nifti_stem(name)), join_path(folder, name)) for name in listing.files(folder)] if folder else []
    )
    return add_masks(cases, masks_by_name)


def _read_cases(listing: Listing, images: str, channels: list[str], path: Path, key: str) -> list[CaseFiles]:
    task, where, names = listing.task, listing.root / images, listing.files(images)
    if _has_numbered_files(listing, images) and not listing.has_4d_files:
        if not channels:
            raise UserError(
                f"{key}: {where} has one file per channel ({names[0]}), as nnU-Net does, but {path} does not name the "
                f'channels; add channel_names such as {{"0": "{task.channels[0].title}", …}}'
                f"{sample_sheet_hint(listing.root, task, key)}"
            )
        return _numbered_cases(images, names, match_channels(channels, task, path, key), path, key)
    if _has_numbered_files(listing, images):
        raise UserError(
            f"{key}: {where} has one file per channel ({names[0]}), but the task {task.name} has all channels in one "
            "file; set cohort.task to a task with one file per channel, such as brats-glioma"
        )
    if listing.has_4d_files:
        _raise_if_other_channel_order(listing, channels, path, key)
        return [
            _case_in_one_file(stem, images, name, task.channel_names) for name in names if (stem := nifti_stem(name))
        ]
    if len(task.channels) == 1 and len(channels) == 1:
        only = match_channels(channels, task, path, key)
        return [_case_in_one_file(stem, images, name, only) for name in names if (stem := nifti_stem(name))]
    raise UserError(
        f"{key}: {where} has one 4D file per case ({names[0]}), as the Medical Segmentation Decathlon does, but the "
        f"task {task.name} expects one file per channel; set cohort.task to {tasks_with_4d_files()}"
    )


def _case_in_one_file(case: str, images: str, name: str, channels: Sequence[str]) -> CaseFiles:
    return CaseFiles(case, {channel: (join_path(images, name),) for channel in sorted(channels)}, None)


def _numbered_cases(images: str, names: Sequence[str], channels: list[str], path: Path, key: str) -> list[CaseFiles]:
    files: dict[str, dict[str, tuple[str, ...]]] = defaultdict(dict)
    for name in names:
        match = _NUMBERED_NAME.fullmatch(str(nifti_stem(name)))
        if match is None or int(match["channel"]) >= len(channels):
            why = "its number is not a channel of" if match else "its name lacks the number of a channel of"
            raise UserError(f"{key}: {join_path(images, name)} is not understood: {why} {path}; rename or remove it")
        role = channels[int(match["channel"])]
        files[match["case"]][role] = (*files[match["case"]].get(role, ()), join_path(images, name))
    return [CaseFiles(case, dict(sorted(roles.items())), None) for case, roles in sorted(files.items())]


def _has_numbered_files(listing: Listing, folder: str) -> bool:
    """Return whether the images are named as in nnU-Net, and not by a pattern of the task."""
    names = listing.files(folder)
    fitting = [
        name
        for name in names
        if _NUMBERED_NAME.fullmatch(str(nifti_stem(name))) and not case_and_role(name, listing.task)
    ]
    cases = {str(nifti_stem(name))[:-5] for name in fitting}
    # Cases of the Decathlon may end in a number too, but fewer than half of them in 0.
    first = {case for case in cases if any(f"{case}_0000{ending}" in names for ending in (".nii.gz", ".nii"))}
    return len(fitting) * 2 > len(names) and len(first) * 2 >= len(cases)


def _raise_if_other_channel_order(listing: Listing, channels: list[str], path: Path, key: str) -> None:
    """Raise UserError if the order of the channels differs from the task's."""
    if not channels:
        return
    found = match_channels(channels, listing.task, path, key)
    wanted = [channel.name for channel in sorted(listing.task.channels, key=lambda channel: channel.volume or 0)]
    if found != wanted:
        raise UserError(
            f"{key}: {path} names the channels in the order {', '.join(channels)}, but the task {listing.task.name} "
            f"reads {', '.join(wanted)}; set cohort.task to your own task with this order"
        )


def _raise_if_not_nifti(
    listing: Listing, images: str, names: Sequence[str], content: Mapping[str, Any], key: str
) -> None:
    ending = str(content.get("file_ending", ".nii.gz"))
    others = [name for name, is_folder in listing.entries(images) if not is_folder and may_be_image(name)]
    if (others and not names) or ending.lower() not in (".nii", ".nii.gz"):
        what = abbreviate(others, 1) if others and not names else f"file_ending is {ending}"
        where = listing.root / images
        raise UserError(f"{key}: the images in {where} are not NIfTI files ({what}); convert them to .nii.gz")


DATASET_JSON: Final = "dataset.json"


def read_dataset_json(path: Path, key: str) -> dict[str, Any]:
    """Return the content of `dataset.json`; empty if there is no file.

    Raises:
        UserError: the file cannot be read, or is not a JSON object.
    """
    try:
        require_regular_file(path)
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{key}: {path} cannot be read as JSON ({error}); correct it") from None
    if not isinstance(content, dict):
        raise UserError(f"{key}: {path} is not a JSON object; correct it")
    return content


def channel_names(content: Mapping[str, Any]) -> list[str]:
    """Return the channel names in their order; empty if the file does not list them."""
    given = content.get("channel_names") or content.get("modality") or {}
    if isinstance(given, list):
        return [str(name) for name in given]
    if not isinstance(given, Mapping) or not all(str(number).isdigit() for number in given):
        return []
    return [str(given[number]) for number in sorted(given, key=int)]


def match_channels(names: list[str], task: Task, path: Path, key: str) -> list[str]:
    """Return the task's channel for each channel name of a data set.

    Args:
        names: the channels of the data set in their order.
        task: its channels are matched by name and synonym.
        path: path of `dataset.json`, for messages.
        key: configuration key that names the folder, for messages.

    Returns:
        Names of the task's channels, in the order of `names`.

    Raises:
        UserError: a name is unknown, two names mean the same channel, or a channel is missing.
    """
    known = channels_by_name(task)
    found = [known.get(simplify_name(name)) for name in names]
    has = ", ".join(channel.title for channel in task.channels)
    remedy = (
        f"correct channel_names in {path}, set cohort.task to the task of this data set, or give cohort.samples a "
        "sample sheet"
    )
    if unknown := [name for name, channel in zip(names, found, strict=True) if channel is None]:
        raise UserError(
            f"{key}: the channel {unknown[0]} of {path} is not in the task {task.name}, which has {has}; {remedy}"
        )
    channels = [channel for channel in found if channel]
    if repeated := [names[index] for index, channel in enumerate(channels) if channel in channels[:index]]:
        raise UserError(f"{key}: two channels of {path} have the same meaning, one of them {repeated[0]}; {remedy}")
    missing = [channel.title for channel in task.channels if channel.name not in channels and not channel.optional]
    if missing:
        raise UserError(f"{key}: {path} has no channel {missing[0]}, but the task {task.name} has {has}; {remedy}")
    return channels


def check_labels(content: Mapping[str, Any], task: Task, path: Path, key: str) -> str | None:
    """Compare the label names of a data set with the task.

    Args:
        content: content of `dataset.json`.
        task: task of the masks, with `cohort.label_map`.
        path: path of `dataset.json`, for messages.
        key: configuration key that names the folder, for messages.

    Returns:
        A note if the names contradict `cohort.label_map`, which takes precedence; None if they agree.

    Raises:
        UserError: the names contradict the task.
    """
    names_by_value = _label_names(content)
    meant = {
        value: label
        for value, names in names_by_value.items()
        if (label := _task_label(names, names_by_value, task)) is not None
    }
    if any(not _mismatched_values(task.labels_by_value(convention), meant) for convention in task.conventions):
        return None
    wrong_by = {name: _mismatched_values(task.labels_by_value(name), meant) for name in task.conventions}
    convention = min(wrong_by, key=lambda name: len(wrong_by[name]))
    values, wrong = task.labels_by_value(convention), wrong_by[convention][0]
    read_as = "no label"
    if wrong in values:
        read_as = f"label {values[wrong]}, {task.label_titles.get(values[wrong], 'background')}"
    text = (
        f"{path} says that {wrong} marks {' in '.join(names_by_value[wrong])}, but the task {task.name} reads it as "
        f"{read_as}"
    )
    if convention == LABEL_MAP_CONVENTION:
        return f"{key}: {text} by cohort.label_map; the map takes precedence"
    proposed = "{" + ", ".join(f"{value}: {meant[value]}" for value in sorted(meant)) + "}"
    if absent := [value for value in sorted(meant) if meant[value] == 0]:
        text += f"; the task has no label {' in '.join(names_by_value[absent[0]])}, which would become background"
    raise UserError(
        f"{key}: {text}. If {path.name} is right, set cohort.label_map to {proposed}, or cohort.task to another task"
    )


def tasks_with_4d_files() -> str:
    """Return the names of the built-in tasks with all channels in one 4D file, joined by "or"."""
    return " or ".join(name for name in built_in_tasks() if load_task(name).channels[0].volume is not None)


def _label_names(content: Mapping[str, Any]) -> dict[int, tuple[str, ...]]:
    """Return the names of each mask value except background: one name, or the regions that the value belongs to."""
    # nnU-Net maps a name to a value, or to a list of values for a region; the Decathlon maps a value to a name.
    given = content.get("labels")
    found: dict[int, list[str]] = {}
    for key, value in given.items() if isinstance(given, Mapping) else ():
        pairs = [(key, value)] if str(key).isdigit() else [(number, key) for number in _integers(value)]
        for number, name in pairs:
            found.setdefault(int(number), []).append(str(name))
    return {number: tuple(names) for number, names in found.items() if number}


def _integers(value: Any) -> Iterable[int]:
    values = value if isinstance(value, list) else [value]
    return [int(item) for item in values if str(item).isdigit()]


def _task_label(names: tuple[str, ...], names_by_value: Mapping[int, tuple[str, ...]], task: Task) -> int | None:
    """Return the task's label with this meaning; 0 if the task has none, None if the name is unknown."""
    nested = [name for others in names_by_value.values() if len(others) > 1 for name in others]
    regions = {region for name in nested if (region := region_by_name(name, task))}
    if regions:
        own_regions = {region for name in names if (region := region_by_name(name, task))}
        of_label = {
            label: {name for name in regions if label in task.region_labels[name]} for label in task.label_values
        }
        fitting = [label for label, its_regions in of_label.items() if its_regions == own_regions]
        return fitting[0] if len(fitting) == 1 else None
    meaning = label_meaning(names[0])
    return None if meaning is None else task.label_of(meaning) or 0


def _mismatched_values(values: Mapping[int, int], meant: Mapping[int, int]) -> list[int]:
    """Return the mask values that a convention reads differently from what `dataset.json` means."""
    return [value for value in sorted(meant) if values.get(value, -1) != meant[value]]
