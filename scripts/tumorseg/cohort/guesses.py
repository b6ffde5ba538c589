"""What files may be that discovery does not understand: hints in their names and folders, for a first sample sheet."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from tumorseg.cohort.layouts.listing import is_of_masks, last
from tumorseg.cohort.layouts.synonyms import plain, roles_by_name
from tumorseg.cohort.naming import MASK, stem_of
from tumorseg.task import Task

# fmt: off
_MASK_WORDS: Final = frozenset({
    "mask", "label", "labels", "segmentation", "segmented", "gt", "groundtruth", "truth", "roi", "tumor", "tumour",
    "lesion", "annotation", "dseg", "corrected", "manuallycorrected",
})
# fmt: on
_OF_ORGANS: Final = re.compile(r"brain|head|skull|csf|tissue|parenchyma", re.IGNORECASE)
_MOST_PARTS: Final = 3
"""Parts of a name that together say the contrast, as in `ce-gd_T1w`."""


class Guess(NamedTuple):
    """What a file may be. case: as its name begins. at_end: whether the role is the end of the name."""

    path: str
    case: str
    role: str
    at_end: bool


def guess(path: str, known: Mapping[str, str]) -> Guess | None:
    """What a file may be by its name, or else by that of its folder; None where neither hints at it.

    known: see `roles_by_name`.
    """
    stem, folder = str(stem_of(last(path))), last(path.rpartition("/")[0])
    parts = list(re.finditer(r"[^-_. ]+", stem))
    for end in range(len(parts), 0, -1):
        for begin in range(max(0, end - _MOST_PARTS), end):
            text = plain(stem[parts[begin].start() : parts[end - 1].end()])
            role = known.get(text) or (MASK if text in _MASK_WORDS else None)
            if role and not (role == MASK and _OF_ORGANS.search(stem)):
                return Guess(path, stem[: parts[begin].start()].rstrip("-_. "), role, end == len(parts))
    role = MASK if is_of_masks(folder) else known.get(plain(folder))
    return Guess(path, stem, role, at_end=True) if role else None


def guessed_cases(
    paths: Iterable[str], cases: Mapping[str, Mapping[str, str]], task: Task
) -> dict[str, dict[str, str]]:
    """The file of each role, by case, of files that discovery has not used.

    cases: those that it has found, with the file of each role. A role that two files may have stays without one.
    """
    known = roles_by_name(task)
    found = [one for path in paths if (one := guess(path, known))]
    by_role: dict[tuple[str, str], list[Guess]] = defaultdict(list)
    for name, one in _placed(found, cases):
        by_role[name, one.role].append(one)
    result: dict[str, dict[str, str]] = {}
    for (name, role), candidates in by_role.items():
        best = [one for one in candidates if one.at_end] or candidates
        if len(best) == 1:
            result.setdefault(name, {})[role] = best[0].path
    return result


def _placed(found: Sequence[Guess], cases: Mapping[str, Mapping[str, str]]) -> Iterator[tuple[str, Guess]]:
    """Each file with the name of its case: one in whose folder it lies, one of its name, or a new one."""
    by_folder: dict[str, set[str]] = defaultdict(set)
    for name, files in cases.items():
        for path in files.values():
            by_folder[path.rpartition("/")[0]].add(name)
    by_name = {name.casefold(): name for name in cases}
    groups: dict[str, list[Guess]] = defaultdict(list)
    for one in found:
        groups[one.path.rpartition("/")[0]].append(one)
    taken: dict[str, str] = {}
    for folder, group in groups.items():
        roles = [one.role for one in group]
        whole = folder and len(group) > 1 and len(set(roles)) == len(roles)
        for one in group:
            there = by_folder.get(folder, set())
            if folder and len(there) == 1:
                yield next(iter(there)), one
            elif one.case.casefold() in by_name:
                yield by_name[one.case.casefold()], one
            elif whole or not one.case:
                name = last(folder) or "case"
                other = taken.setdefault(name, folder)
                yield (name if other == folder else folder.replace("/", "_")), one
            else:
                yield one.case.lstrip("."), one
