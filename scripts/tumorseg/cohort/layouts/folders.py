"""Find the cases in folders: one folder per case, groups of them, flat folders, and masks in separate folders."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from typing import Final, Literal

from tumorseg.cohort.case_files import CaseFiles
from tumorseg.cohort.file_names import (
    MASK,
    archive_content,
    is_awkward_name,
    is_brats_case_name,
    is_system_file,
    may_be_image,
    nifti_stem,
    printable,
)
from tumorseg.cohort.layouts.case_names import unique_case_names
from tumorseg.cohort.layouts.listing import (
    Listing,
    NamedFile,
    abbreviate,
    base_name,
    files_naming_case,
    group_by_role,
    is_mask_folder_name,
    join_path,
    sample_sheet_hint,
)
from tumorseg.errors import UserError

FolderKind = Literal["case", "flat", "group"]
"""Kind of a folder: it holds the files of one case, the files of several cases, or case folders."""

_IMAGE_FOLDER_NAME: Final = re.compile(r"(images?|imgs?|scans?|niftis?)([-_ ]?t[rs])?", re.IGNORECASE)


def cases_in_folder(listing: Listing, folder: str, key: str, note: Callable[[str], object]) -> list[CaseFiles]:
    """Return the cases in a folder; empty if it holds no images named like files of a case.

    The files of many cases lie in the folder itself, or its subfolders are case folders, groups of case folders (`HGG`,
    `LGG`; patients with a folder per visit), or hold the files of many cases. Masks may lie in a separate folder beside
    the images.

    Args:
        listing: listing of the cohort.
        folder: path of the folder, relative to the root.
        key: configuration key that names the root, for messages.
        note: called with a message about images that are not used.

    Returns:
        The cases.

    Raises:
        UserError: these layouts are mixed, two cases have the same name, or a folder's name cannot be used.
    """
    kinds = {name: folder_kind(listing, join_path(folder, name)) for name in listing.folders(folder)}
    kinds = {
        name: None if _is_circular_link(listing, join_path(folder, name), kind) else kind
        for name, kind in kinds.items()
    }
    masks = {
        name: found for name in kinds if (found := _masks_in_folder(listing, join_path(folder, name), kinds[name]))
    }
    images = {name: kind for name, kind in kinds.items() if kind and name not in masks}
    named_files = listing.named(folder) if _cases_with_images(listing.named(folder), listing) else []
    _raise_if_mixed(listing, folder, key, images, named_files)
    if named_files:
        cases = flat_cases(named_files)
    elif "case" in images.values():
        cases = [case for case in cases_from_folders(listing, folder) if case.case not in masks]
    else:
        rest = [name for name in kinds if not kinds[name] and name not in masks]
        more = [name for name in rest if _may_hold_cases(listing, join_path(folder, name))]
        group_names = sorted([*images, *more]) if images else []
        if awkward := [name for name in group_names if is_awkward_name(name)]:
            raise UserError(
                f"{key}: rename the folder {printable(awkward[0])} in {listing.root / folder}: names with braces, "
                "control characters or bytes that are not UTF-8 cannot be used"
            )
        groups = {
            name: _group_cases(listing, join_path(folder, name), images.get(name, "group"), key, note)
            for name in group_names
        }
        cases = unique_case_names(groups, listing.root / folder, listing.task, key)
    if cases:
        _note_unused_images(listing, folder, note, [name for name in kinds if "case" not in images.values()])
    return add_masks(cases, [mask for found in masks.values() for mask in found])


def folder_kind(listing: Listing, folder: str) -> FolderKind | None:
    """Return the kind of a folder by the names in it; None if it has no file named like a file of a case."""
    if listing.is_file(base_name(folder)):
        return None
    if named_files := listing.images(folder):
        return "flat" if _is_flat(named_files, base_name(folder), listing) else "case"
    inner = (join_path(folder, name) for name in listing.folders(folder) if not listing.is_file(name))
    return "group" if any(listing.images(path) for path in inner) else None


def may_hold_images(listing: Listing, folder: str) -> bool:
    """Return whether a folder or one of its subfolders may hold images, of whatever name."""
    return _has_image(listing, folder) or _may_hold_cases(listing, folder)


def flat_cases(found: Sequence[NamedFile]) -> list[CaseFiles]:
    """Return the cases of a flat folder; case names are compared case-insensitively."""
    by_case: dict[str, list[NamedFile]] = defaultdict(list)
    for named in found:
        if not named.lacks_case:
            by_case[named.case.casefold()].append(named)
    return [CaseFiles(files[0].case, group_by_role(files), None) for _, files in sorted(by_case.items())]


def add_masks(cases: Sequence[CaseFiles], masks: Sequence[tuple[str, str]]) -> list[CaseFiles]:
    """Return the cases with added masks, given by name and path; a mask without images becomes a separate case."""
    if not masks:
        return list(cases)
    names: dict[str, str] = {}
    for case in cases:
        for path in case.paths():
            names.setdefault(_case_part(path, case).casefold(), case.case)
    names |= {case.case.casefold(): case.case for case in cases}
    added: dict[str, list[str]] = defaultdict(list)
    for name, path in masks:
        added[_match_case(name, names)].append(path)
    known_cases = {case.case for case in cases}
    found = [
        replace(case, files={**case.files, MASK: tuple(sorted([*case.files.get(MASK, ()), *added[case.case]]))})
        if case.case in added
        else case
        for case in cases
    ]
    return [
        *found,
        *(CaseFiles(name, {MASK: tuple(paths)}, None) for name, paths in added.items() if name not in known_cases),
    ]


def _case_part(path: str, case: CaseFiles) -> str:
    """Return a file name without the suffix of its role."""
    stem = nifti_stem(base_name(path)) or base_name(path)
    return next((stem[:end] for end in range(len(stem) - 1, 0, -1) if stem[end] in "-_"), case.case)


def _match_case(name: str, cases: Mapping[str, str]) -> str:
    """Return the case of a mask: the longest case that its name begins with; its own name if there is none."""
    folded_name = name.casefold()
    ends = [end for end in range(len(folded_name), 0, -1) if end == len(folded_name) or folded_name[end] in "-_."]
    return next((cases[folded_name[:end]] for end in ends if folded_name[:end] in cases), name)


def _is_flat(found: Sequence[NamedFile], folder: str, listing: Listing) -> bool:
    ids = {named.case.casefold() for named in files_naming_case(found)}
    if folder.casefold() in ids:
        return False
    if is_mask_folder_name(folder) or _IMAGE_FOLDER_NAME.fullmatch(folder):
        return True
    return len(_cases_with_images(found, listing)) > 1 or (
        len(ids) > 1 and all(named.roles == (MASK,) for named in found)
    )


def _cases_with_images(found: Sequence[NamedFile], listing: Listing) -> set[str]:
    """Return the cases, in lower case, with at least two images, or all images if the task has only one."""
    roles: dict[str, set[str]] = defaultdict(set)
    for named in found:
        if not named.lacks_case:
            roles[named.case.casefold()].update(named.roles)
    least = min(2, len(listing.task.channels))
    return {case for case, found_roles in roles.items() if len(found_roles - {MASK}) >= least}


def _is_circular_link(listing: Listing, folder: str, kind: FolderKind | None) -> bool:
    """Return whether a folder of cases is a link to one of its parents."""
    path = listing.root / folder
    return kind == "group" and path.is_symlink() and path.parent.resolve().is_relative_to(path.resolve())


def _masks_in_folder(listing: Listing, folder: str, kind: FolderKind | None) -> list[tuple[str, str]]:
    """Return name and path of each mask if the folder holds only masks; else none."""
    if kind is None and is_mask_folder_name(base_name(folder)):
        return [(str(nifti_stem(name)), join_path(folder, name)) for name in listing.files(folder)]
    if kind == "flat" and all(named.roles == (MASK,) for named in listing.images(folder)):
        used = {named.path: named.case for named in listing.images(folder)}
        bare = {join_path(folder, name): str(nifti_stem(name)) for name in listing.files(folder)}
        return [(name, path) for path, name in {**bare, **used}.items()]
    if kind == "group":
        cases = [case for case in cases_from_folders(listing, folder) if case.files]
        if all(set(case.files) == {MASK} for case in cases):
            return [(case.case, path) for case in cases for path in case.paths()]
    return []


def _group_cases(
    listing: Listing, folder: str, kind: FolderKind, key: str, note: Callable[[str], object]
) -> list[CaseFiles]:
    if kind == "flat":
        return flat_cases(listing.images(folder))
    return cases_in_folder(listing, folder, key, note) or cases_from_folders(listing, folder)


def _raise_if_mixed(
    listing: Listing, folder: str, key: str, images: Mapping[str, FolderKind], named_files: Sequence[NamedFile]
) -> None:
    by_kind = {kind: name for name, kind in list(images.items())[::-1]}
    what = {
        "case": "folders of one case each, such as {}",
        "group": "folders that hold case folders, such as {}",
        "flat": "folders with the files of several cases, such as {}",
    }
    parts = [text.format(by_kind[kind]) for kind, text in what.items() if kind in by_kind]
    parts += [f"files of cases beside the folders, such as {base_name(named_files[0].path)}"] if named_files else []
    if len(parts) > 1:
        root = listing.root / folder
        raise UserError(
            f"{key}: {root} mixes layouts: {' and '.join(parts)}; reading only one would leave cases out. Keep one "
            f"layout{sample_sheet_hint(root, listing.task, key)}"
        )


def _may_hold_cases(listing: Listing, folder: str) -> bool:
    """Return whether a folder without a known file name may hold case folders."""
    return any(_has_image(listing, join_path(folder, name)) for name in listing.folders(folder))


def _has_image(listing: Listing, folder: str) -> bool:
    return any(may_be_image(name) for name, is_folder in listing.entries(folder) if not is_folder)


def _note_unused_images(listing: Listing, folder: str, note: Callable[[str], object], folders: Sequence[str]) -> None:
    """Report the images beside the cases that are not used."""
    used = _cases_with_images(listing.named(folder), listing)
    known = {base_name(named.path) for named in listing.named(folder) if not named.lacks_case}
    rest = [name for name in listing.files(folder) if not used or name not in known]
    for name in folders:
        if folder_kind(listing, join_path(folder, name)) is None and not is_mask_folder_name(name):
            rest += [join_path(name, file) for file in listing.files(join_path(folder, name))]
    if rest:
        note(f"{listing.root / folder}: not understood, and not used: {abbreviate(rest)}")


def cases_from_folders(listing: Listing, folder: str) -> list[CaseFiles]:
    """Return the case of each subfolder, except system folders (`.name`, `__MACOSX`).

    Two kinds of nested folders count as one. A folder may be named like a file and hold it, as in public mirrors:
    `X-t1c.nii/00000057_brain_t1ce.nii`. A case folder may hold only a folder of the same name: `X/X`. Files are ignored
    if they are not named like a file of a case.

    Args:
        listing: listing of the cohort.
        folder: path of the folder, relative to the root.

    Returns:
        The cases. A case has no files if it is only a packed archive or a broken link, or if the name of its folder
        cannot be used.
    """
    names = listing.entries(folder)
    packed = {content for name, is_folder in names if not is_folder and (content := archive_content(name))}
    folders = {name for name, is_folder in names if is_folder and not is_system_file(name)}
    awkward = sorted(name for name in folders if is_awkward_name(name))
    # Named like a case but not a folder: an archive or a broken link, which validation reports.
    closed = {
        name for name in {*packed, *(name for name, is_folder in names if not is_folder)} if is_brats_case_name(name)
    }
    cases = [
        case_from_folder(listing, join_path(folder, name)) for name in sorted(folders.difference(awkward) | closed)
    ]
    return [*cases, *_awkward_cases(folder, awkward, {case.case for case in cases})]


def case_from_folder(listing: Listing, folder: str) -> CaseFiles:
    """Return the case of a case folder."""
    named, name = listing.images(folder), base_name(folder)
    ids = Counter(found.case.casefold() for found in files_naming_case(named))
    # A file of another case in this folder must not replace one of this case.
    own_case = name.casefold() if name.casefold() in ids else max(sorted(ids), key=ids.__getitem__, default=None)
    return CaseFiles(
        name, group_by_role(found for found in named if found.lacks_case or found.case.casefold() == own_case), folder
    )


def _awkward_cases(folder: str, names: Sequence[str], existing: Set[str]) -> Iterator[CaseFiles]:
    """Yield a case without files for each folder whose name cannot be used."""
    used = set(existing)
    for folder_name in names:
        name, number = printable(folder_name), 1
        while name in used:
            name, number = f"{printable(folder_name)} ({number + 1})", number + 1
        used.add(name)
        yield CaseFiles(name, {}, join_path(folder, folder_name))
