"""The header of a NIfTI file (https://nifti.nimh.nih.gov/nifti-1): what it promises, or why it cannot be right."""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal

import numpy as np
from nibabel.nifti1 import Nifti1Header
from nibabel.nifti2 import Nifti2Header
from nibabel.spatialimages import HeaderDataError

from tumorseg.cohort.damage import Damage
from tumorseg.cohort.foreign import foreign
from tumorseg.cohort.forms import Placement, placement
from tumorseg.cohort.images import not_3d, size_text
from tumorseg.cohort.largest import LARGEST_OFFSET
from tumorseg.errors import Message

_LARGEST_EXPANSION: Final = 1032
"""Bytes of content for each byte of a gzip file, at most: a property of DEFLATE."""

NIFTI1_BYTES: Final = 348
NIFTI2_BYTES: Final = 540
_NO_INTENSITIES: Final[dict[int, Message]] = {
    128: "RGB colours",
    2304: "RGBA colours",
    32: "complex numbers",
    1792: "complex numbers",
    2048: "complex numbers",
}
"""Types of voxels, by their code in a header, that are not one intensity each."""
_AGAIN: Final = "copy or download the file again"


@dataclass(frozen=True, eq=False)
class Header:
    """What a sound header says.

    shape: without axes of length 1 at the end, beyond the third. offset: bytes before the voxels. slope, inter: 1 and 0
    where there is no scaling.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    offset: int
    placement: Placement
    slope: float
    inter: float

    @property
    def voxels(self) -> int:
        """The number of voxels."""
        return math.prod(self.shape)

    @property
    def voxel_bytes(self) -> int:
        """Bytes that the voxels occupy in the file."""
        return self.voxels * self.dtype.itemsize

    @property
    def held_dtype(self) -> np.dtype[Any]:
        """The type of the voxels in memory, in native byte order: a real one where the file scales its intensities."""
        native = self.dtype.newbyteorder("=")
        return native if (self.slope, self.inter) == (1.0, 0.0) else np.result_type(native, np.float32)


def header_bytes(start: bytes) -> int:
    """Length of the header of a file that begins so.

    Raises Damage: what `foreign` returns, or `truncated` and `bad_header` where it may once have been a volume.
    """
    if start[4:12] == b"n+2\0\r\n\x1a\n" and _byte_order(start, NIFTI2_BYTES):
        return NIFTI2_BYTES
    order = _byte_order(start, NIFTI1_BYTES)
    magic = start[344:348] == b"n+1\0"
    if order and magic:
        return NIFTI1_BYTES
    if order and len(start) < NIFTI1_BYTES:
        raise Damage("truncated", f"the file stops within its header; {_AGAIN}")
    if magic:
        raise _bad("it does not begin with its own length")
    raise foreign(start)


@lru_cache(maxsize=8)  # the images of a case mostly have one header
def parse_header(block: bytes) -> Header:
    """The header in the first `header_bytes` of a file. Raises Damage (`bad_header`) where it makes no sense."""
    size = header_bytes(block)
    kind: Any = Nifti1Header if size == NIFTI1_BYTES else Nifti2Header
    header = kind(block[:size], endianness=_byte_order(block, size), check=False)
    shape = _shape(header)
    dtype = _dtype(header)
    offset = _offset(header, size + 4)
    slope, inter = float(header["scl_slope"]), float(header["scl_inter"])
    if not math.isfinite(slope) or slope == 0:
        slope, inter = 1.0, 0.0
    if not math.isfinite(inter):
        raise _bad("its intensity scaling is not a number")
    try:
        placed = placement(header, shape)
    except ValueError as error:
        raise _bad(str(error)) from None
    return Header(shape, dtype, offset, placed, slope, inter)


def refuse_large(header: Header, largest_voxels: int, size: int, *, compressed: bool) -> None:
    """Raise Damage where a header promises more than `largest_voxels`.

    size: bytes of the file on disk. It is `bad_header` where the file cannot hold as much as its header promises,
    `wrong_shape` where it holds several volumes, else `too_large`.
    """
    if header.voxels <= largest_voxels:
        return
    text = size_text(header.shape)
    if header.offset + header.voxel_bytes > size * (_LARGEST_EXPANSION if compressed else 1):
        raise Damage(
            "bad_header",
            f"the header promises {text} voxels of {header.dtype.name}, more than a file of {size} bytes can hold; "
            f"{_AGAIN}",
        )
    if len(header.shape) != 3:
        raise Damage("wrong_shape", not_3d(header.shape))
    raise Damage(
        "too_large",
        f"the volume has {header.voxels} voxels ({text}), and cohort.max_voxels is {largest_voxels}; "
        "raise that setting if the memory allows, or resample or crop the image",
    )


def _byte_order(start: bytes, size: int) -> Literal["<", ">"] | None:
    if start[:4] == size.to_bytes(4, "little"):
        return "<"
    return ">" if start[:4] == size.to_bytes(4, "big") else None


def _bad(why: Message) -> Damage:
    return Damage("bad_header", f"the header is damaged: {why}; {_AGAIN}, or write it anew from the original images")


def _shape(header: Any) -> tuple[int, ...]:
    dimensions = int(header["dim"][0])
    if not 1 <= dimensions <= 7:
        raise _bad(f"it has {dimensions} dimensions")
    shape = tuple(int(length) for length in header["dim"][1 : dimensions + 1])
    if min(shape) < 1:
        raise _bad(f"its shape is {size_text(shape)}")
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    return shape


def _dtype(header: Any) -> np.dtype[Any]:
    code = int(header["datatype"])
    if what := _NO_INTENSITIES.get(code):
        raise Damage(
            "wrong_data_type",
            f"the voxels are {what}, not one intensity each; export the image in grey, as whole or real numbers",
        )
    try:
        dtype: np.dtype[Any] = np.dtype(header.get_data_dtype())
    except (HeaderDataError, KeyError):
        dtype = np.dtype(np.void)
    if dtype.kind not in "iuf" or dtype.itemsize > 8:
        raise _bad(f"its data type ({code}) is not one of whole or real numbers")
    return dtype


def _offset(header: Any, least: int) -> int:
    offset = float(header["vox_offset"])
    if not least <= offset <= LARGEST_OFFSET or offset != int(offset):
        raise _bad(f"it says that the voxels begin at byte {offset:g}")
    return int(offset)
