"""One folder for each case, as the BraTS challenges have it."""

from collections import Counter
from collections.abc import Iterator, Sequence, Set

from tumorseg.cohort.case_files import CaseFiles
from tumorseg.cohort.layouts.listing import Listing, gathered, join, last, telling
from tumorseg.cohort.naming import archive_of, is_awkward, is_stray, names_case, shown


def case_folders(listing: Listing, folder: str) -> list[CaseFiles]:
    """The cases in a folder: each sub-folder is one, unless it is a stray (`.name`, `__MACOSX`).

    A folder that is named like a file (`X-t1c.nii/00000057_brain_t1ce.nii`, as public mirrors unpack them) counts as
    the files inside it, and a case folder in one of its own name (`X/X`) as that. Anything that is not named like a
    file of a case is ignored, so a case may have no file at all; nor has a case of which only the packed archive is
    there, or a link that leads nowhere, or whose name is awkward.
    """
    names = listing.entries(folder)
    packed = {content for name, is_folder in names if not is_folder and (content := archive_of(name))}
    folders = {name for name, is_folder in names if is_folder and not is_stray(name)}
    awkward = sorted(name for name in folders if is_awkward(name))
    # What is called like a case and is no folder: packed, or a link that leads nowhere. `examine_case` says which.
    closed = {name for name in {*packed, *(name for name, is_folder in names if not is_folder)} if names_case(name)}
    cases = [case_of(listing, join(folder, name)) for name in sorted(folders.difference(awkward) | closed)]
    return [*cases, *_awkward_cases(folder, awkward, {case.case for case in cases})]


def case_of(listing: Listing, folder: str) -> CaseFiles:
    """The case in a folder of its own."""
    named, name = listing.images(folder), last(folder)
    ids = Counter(found.case.casefold() for found in telling(named))
    # A file of another case that strayed into this folder must not stand in for one of its own.
    own = name.casefold() if name.casefold() in ids else max(sorted(ids), key=ids.__getitem__, default=None)
    return CaseFiles(name, gathered(found for found in named if found.bare or found.case.casefold() == own), folder)


def _awkward_cases(folder: str, names: Sequence[str], taken: Set[str]) -> Iterator[CaseFiles]:
    """The case of each folder with an awkward name, without files."""
    used = set(taken)
    for own in names:
        name, number = shown(own), 1
        while name in used:
            name, number = f"{shown(own)} ({number + 1})", number + 1
        used.add(name)
        yield CaseFiles(name, {}, join(folder, own))
