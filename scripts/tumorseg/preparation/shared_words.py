"""Split the names of a patient's files into words of the patient or visit, and words of the single image."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tumorseg.preparation.sequence_names import is_mask_name, read_name

_WORD: Final = re.compile(r"(?:sub|ses)-[A-Za-z0-9]+|[^\W_]+")
"""A word of a name; an entity of BIDS is one."""
_TUMOUR: Final = re.compile(r"tumou?r", re.IGNORECASE)


@dataclass(frozen=True)
class SplitName:
    """The name of a file or folder.

    Attributes:
        shared: the words at its beginning that all names share, or that are the name of the patient.
        rest: the part after them, which says what the image is; never empty.
    """

    shared: str
    rest: str

    @property
    def is_mask(self) -> bool:
        """Whether the file is named like a mask. A patient may be named `tumor_01`, but not `mask_01`."""
        return is_mask_name(self.rest) or is_mask_name(_TUMOUR.sub(" ", self.shared))


def split_names(names: Sequence[str], patient: str = "") -> list[SplitName]:
    """Split the names of all images of a patient.

    The name of a visit, such as `P1_post`, may have words that mean something else in the name of an image. A contrast
    is never a shared word: `T1_pre` and `T1_post` share nothing.

    Args:
        names: names without endings.
        patient: name of the patient.

    Returns:
        The names in their order.

    Example:
        >>> [name.rest for name in split_names(["P1_post_t1", "P1_post_t1ce"])]
        ['_t1', '_t1ce']
    """
    words = [_words(name) for name in names]
    common = _common(words) if len(set(names)) > 1 else 0
    own = _words(patient)
    counts = [max(common, len(own) if own and found[: len(own)] == own else 0) for found in words]
    return [_split(name, count) for name, count in zip(names, counts, strict=True)]


def _words(name: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(name)]


def _common(names: Sequence[Sequence[str]]) -> int:
    """Return the number of words at the beginning that all names share."""
    count = 0
    for words in zip(*names, strict=False):
        if len(set(words)) > 1:
            break
        count += 1
    return count


def _split(name: str, count: int) -> SplitName:
    """Split a name after at most `count` words, and before the first contrast."""
    found = list(_WORD.finditer(name))
    ends = [0, *(word.end() for word in found[:count])]
    with_contrast = next((end for end in ends if read_name(name[:end]).contrast), None)
    if with_contrast is not None:
        starts = [end for end in ends if end < with_contrast and read_name(name[end:with_contrast]).contrast]
        ends = [end for end in ends if end <= starts[-1]]
    end = ends[-1]
    return SplitName(name[:end], name[end:]) if _WORD.search(name, end) else SplitName("", name)
