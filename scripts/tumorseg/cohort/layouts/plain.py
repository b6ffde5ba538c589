"""Case folders, groups of them, files side by side, and masks in folders of their own."""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final, Literal

from tumorseg.cohort.case_files import CaseFiles
from tumorseg.cohort.layouts.case_folders import case_folders
from tumorseg.cohort.layouts.group_names import named_apart
from tumorseg.cohort.layouts.listing import Listing, Named, few, gathered, is_of_masks, join, last, sheet_hint, telling
from tumorseg.cohort.naming import MASK, is_awkward, may_be_image, shown, stem_of
from tumorseg.errors import UserError

Kind = Literal["case", "flat", "group"]
"""What a folder is: that of a case, one with the files of several cases, or one with case folders in it."""

_OF_IMAGES: Final = re.compile(r"(images?|imgs?|scans?|niftis?)([-_ ]?t[rs])?", re.IGNORECASE)


def plain_cases(listing: Listing, folder: str, key: str, note: Callable[[str], object]) -> list[CaseFiles]:
    """The cases in a folder; none where it has no images that are named like files of cases.

    Its sub-folders are case folders, or hold case folders (`HGG`, `LGG`; patients with a folder for each visit), or
    the files of many cases each; or the files of many cases lie in the folder itself. Masks may lie in a folder of
    their own beside the images. Raises UserError where two of these are mixed, and where two cases have one name.
    """
    kinds = {name: kind_of(listing, join(folder, name)) for name in listing.folders(folder)}
    kinds = {name: None if _leads_back(listing, join(folder, name), kind) else kind for name, kind in kinds.items()}
    masks = {name: found for name in kinds if (found := _only_masks(listing, join(folder, name), kinds[name]))}
    images = {name: kind for name, kind in kinds.items() if kind and name not in masks}
    own = listing.named(folder) if _cases_of(listing.named(folder), listing) else []
    _refuse_mixture(listing, folder, key, images, own)
    if own:
        cases = flat_cases(own)
    elif "case" in images.values():
        cases = [case for case in case_folders(listing, folder) if case.case not in masks]
    else:
        rest = [name for name in kinds if not kinds[name] and name not in masks]
        more = [name for name in rest if _may_hold_cases(listing, join(folder, name))]
        wanted = sorted([*images, *more]) if images else []
        if awkward := [name for name in wanted if is_awkward(name)]:
            raise UserError(
                f"{key}: rename the folder {shown(awkward[0])} in {listing.root / folder}: names with braces, control "
                "characters or bytes that are no UTF-8 cannot be used"
            )
        groups = {name: _group(listing, join(folder, name), images.get(name, "group"), key, note) for name in wanted}
        cases = named_apart(groups, listing.root / folder, listing.task, key)
    if cases:
        _note_rest(listing, folder, note, [name for name in kinds if "case" not in images.values()])
    return with_masks(cases, [mask for found in masks.values() for mask in found])


def kind_of(listing: Listing, folder: str) -> Kind | None:
    """What a folder is, by the names in it; None where no file in it is named like one of a case."""
    if listing.is_file(last(folder)):
        return None
    if own := listing.images(folder):
        return "flat" if _is_flat(own, last(folder), listing) else "case"
    inner = (join(folder, name) for name in listing.folders(folder) if not listing.is_file(name))
    return "group" if any(listing.images(path) for path in inner) else None


def holds_images(listing: Listing, folder: str) -> bool:
    """Whether there may be images in a folder or in one of its folders, whatever their names mean."""
    return _has_image(listing, folder) or _may_hold_cases(listing, folder)


def flat_cases(found: Sequence[Named]) -> list[CaseFiles]:
    """The cases of files that lie side by side; letter case makes no other case."""
    by_case: dict[str, list[Named]] = defaultdict(list)
    for named in found:
        if not named.bare:
            by_case[named.case.casefold()].append(named)
    return [CaseFiles(files[0].case, gathered(files), None) for _, files in sorted(by_case.items())]


def with_masks(cases: Sequence[CaseFiles], masks: Sequence[tuple[str, str]]) -> list[CaseFiles]:
    """The cases with masks from other folders, each by name and path; one without its images is a case of its own."""
    if not masks:
        return list(cases)
    names: dict[str, str] = {}
    for case in cases:
        for path in case.paths():
            names.setdefault(_id_in(path, case).casefold(), case.case)
    names |= {case.case.casefold(): case.case for case in cases}
    added: dict[str, list[str]] = defaultdict(list)
    for name, path in masks:
        added[_matching(name, names)].append(path)
    there = {case.case for case in cases}
    found = [
        replace(case, files={**case.files, MASK: tuple(sorted([*case.files.get(MASK, ()), *added[case.case]]))})
        if case.case in added
        else case
        for case in cases
    ]
    return [
        *found,
        *(CaseFiles(name, {MASK: tuple(paths)}, None) for name, paths in added.items() if name not in there),
    ]


def _id_in(path: str, case: CaseFiles) -> str:
    """What the name of a file begins with, before the end that says its role."""
    stem = stem_of(last(path)) or last(path)
    return next((stem[:place] for place in range(len(stem) - 1, 0, -1) if stem[place] in "-_"), case.case)


def _matching(name: str, cases: Mapping[str, str]) -> str:
    """The case of a mask: that of its name, else that with whose name it begins, else a new one."""
    wanted = name.casefold()
    ends = [place for place in range(len(wanted), 0, -1) if place == len(wanted) or wanted[place] in "-_."]
    return next((cases[wanted[:place]] for place in ends if wanted[:place] in cases), name)


def _is_flat(found: Sequence[Named], folder: str, listing: Listing) -> bool:
    ids = {named.case.casefold() for named in telling(found)}
    if folder.casefold() in ids:
        return False
    if is_of_masks(folder) or _OF_IMAGES.fullmatch(folder):
        return True
    return len(_cases_of(found, listing)) > 1 or (len(ids) > 1 and all(named.roles == (MASK,) for named in found))


def _cases_of(found: Sequence[Named], listing: Listing) -> set[str]:
    """The cases, in lower case, of which more than one image is there, or all that a case has."""
    roles: dict[str, set[str]] = defaultdict(set)
    for named in found:
        if not named.bare:
            roles[named.case.casefold()].update(named.roles)
    least = min(2, len(listing.task.channels))
    return {case for case, there in roles.items() if len(there - {MASK}) >= least}


def _leads_back(listing: Listing, folder: str, kind: Kind | None) -> bool:
    """Whether a folder of cases is a link to the folder that it lies in, or to one above."""
    path = listing.root / folder
    return kind == "group" and path.is_symlink() and path.parent.resolve().is_relative_to(path.resolve())


def _only_masks(listing: Listing, folder: str, kind: Kind | None) -> list[tuple[str, str]]:
    """Name and path of each mask in a folder that holds nothing else; none in another folder."""
    if kind is None and is_of_masks(last(folder)):
        return [(str(stem_of(name)), join(folder, name)) for name in listing.files(folder)]
    if kind == "flat" and all(named.roles == (MASK,) for named in listing.images(folder)):
        used = {named.path: named.case for named in listing.images(folder)}
        bare = {join(folder, name): str(stem_of(name)) for name in listing.files(folder)}
        return [(name, path) for path, name in {**bare, **used}.items()]
    if kind == "group":
        cases = [case for case in case_folders(listing, folder) if case.files]
        if all(set(case.files) == {MASK} for case in cases):
            return [(case.case, path) for case in cases for path in case.paths()]
    return []


def _group(listing: Listing, folder: str, kind: Kind, key: str, note: Callable[[str], object]) -> list[CaseFiles]:
    if kind == "flat":
        return flat_cases(listing.images(folder))
    return plain_cases(listing, folder, key, note) or case_folders(listing, folder)


def _refuse_mixture(listing: Listing, folder: str, key: str, images: Mapping[str, Kind], own: Sequence[Named]) -> None:
    by_kind = {kind: name for name, kind in list(images.items())[::-1]}
    what = {
        "case": "folders of one case each, such as {}",
        "group": "folders that hold case folders, such as {}",
        "flat": "folders with the files of several cases, such as {}",
    }
    parts = [text.format(by_kind[kind]) for kind, text in what.items() if kind in by_kind]
    parts += [f"files of cases beside the folders, such as {last(own[0].path)}"] if own else []
    if len(parts) > 1:
        root = listing.root / folder
        raise UserError(
            f"{key}: {root} mixes layouts: {' and '.join(parts)}; none is read, since a part would be left out. Keep "
            f"one layout{sheet_hint(root, listing.task, key)}"
        )


def _may_hold_cases(listing: Listing, folder: str) -> bool:
    """Whether there may be case folders in a folder of which no file is understood."""
    return any(_has_image(listing, join(folder, name)) for name in listing.folders(folder))


def _has_image(listing: Listing, folder: str) -> bool:
    return any(may_be_image(name) for name, is_folder in listing.entries(folder) if not is_folder)


def _note_rest(listing: Listing, folder: str, note: Callable[[str], object], folders: Sequence[str]) -> None:
    """Say which images lie beside the cases and are not used."""
    used = _cases_of(listing.named(folder), listing)
    known = {last(named.path) for named in listing.named(folder) if not named.bare}
    rest = [name for name in listing.files(folder) if not used or name not in known]
    for name in folders:
        if kind_of(listing, join(folder, name)) is None and not is_of_masks(name):
            rest += [join(name, file) for file in listing.files(join(folder, name))]
    if rest:
        note(f"{listing.root / folder}: not understood, and not used: {few(rest)}")
