"""The header of a NIfTI file: parsed and checked.

References:
    https://nifti.nimh.nih.gov/nifti-1
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal

import numpy as np
from nibabel.nifti1 import Nifti1Header
from nibabel.nifti2 import Nifti2Header
from nibabel.spatialimages import HeaderDataError

from tumorseg.errors import Message
from tumorseg.geometry import format_shape
from tumorseg.io.nifti_orientation import HeaderOrientation, read_orientation
from tumorseg.io.volume_errors import VolumeError, not_nifti_error
from tumorseg.io.volume_limits import MAX_HEADER_BYTES

_MAX_DEFLATE_RATIO: Final = 1032
"""Bytes of content for each byte of a gzip file, at most: a property of DEFLATE."""

NIFTI1_HEADER_BYTES: Final = 348
NIFTI2_HEADER_BYTES: Final = 540
_UNSUPPORTED_DATATYPES: Final[dict[int, Message]] = {
    128: "RGB colours",
    2304: "RGBA colours",
    32: "complex numbers",
    1792: "complex numbers",
    2048: "complex numbers",
}
"""Types of voxels, by their code in a header, that are not one intensity each."""
_COPY_ADVICE: Final = "copy or download the file again"


@dataclass(frozen=True, eq=False)
class NiftiHeader:
    """What a sound header says.

    shape: without axes of length 1 at the end, beyond the third. offset: bytes before the voxels. slope, inter: 1 and 0
    where there is no scaling.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    offset: int
    placement: HeaderOrientation
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


def header_length(start: bytes) -> int:
    """Length of the header of a file that begins so.

    Raises Damage: what `foreign` returns, or `truncated` and `bad_header` where it may once have been a volume.
    """
    if start[4:12] == b"n+2\0\r\n\x1a\n" and _byte_order(start, NIFTI2_HEADER_BYTES):
        return NIFTI2_HEADER_BYTES
    order = _byte_order(start, NIFTI1_HEADER_BYTES)
    magic = start[344:348] == b"n+1\0"
    if order and magic:
        return NIFTI1_HEADER_BYTES
    if order and len(start) < NIFTI1_HEADER_BYTES:
        raise VolumeError("truncated", f"the file stops within its header; {_COPY_ADVICE}")
    if magic:
        raise _bad_header("it does not begin with its own length")
    raise not_nifti_error(start)


@lru_cache(maxsize=8)  # the images of a case mostly have one header
def parse_header(block: bytes) -> NiftiHeader:
    """The header in the first `header_bytes` of a file. Raises Damage (`bad_header`) where it makes no sense."""
    size = header_length(block)
    kind: Any = Nifti1Header if size == NIFTI1_HEADER_BYTES else Nifti2Header
    header = kind(block[:size], endianness=_byte_order(block, size), check=False)
    shape = _read_shape(header)
    dtype = _read_dtype(header)
    offset = _read_offset(header, size + 4)
    slope, inter = float(header["scl_slope"]), float(header["scl_inter"])
    if not math.isfinite(slope) or slope == 0:
        slope, inter = 1.0, 0.0
    if not math.isfinite(inter):
        raise _bad_header("its intensity scaling is not a number")
    try:
        placed = read_orientation(header, shape)
    except ValueError as error:
        raise _bad_header(str(error)) from None
    return NiftiHeader(shape, dtype, offset, placed, slope, inter)


def raise_if_too_large(header: NiftiHeader, max_voxels: int, file_bytes: int, *, compressed: bool) -> None:
    """Raise Damage where a header promises more than `largest_voxels`.

    size: bytes of the file on disk. It is `bad_header` where the file cannot hold as much as its header promises,
    `wrong_shape` where it holds several volumes, else `too_large`.
    """
    if header.voxels <= max_voxels:
        return
    text = format_shape(header.shape)
    if header.offset + header.voxel_bytes > file_bytes * (_MAX_DEFLATE_RATIO if compressed else 1):
        raise VolumeError(
            "bad_header",
            f"the header promises {text} voxels of {header.dtype.name}, more than a file of {file_bytes} bytes can hold; "
            f"{_COPY_ADVICE}",
        )
    if len(header.shape) != 3:
        raise VolumeError("wrong_shape", not_3d_message(header.shape))
    raise VolumeError(
        "too_large",
        f"the volume has {header.voxels} voxels ({text}), and cohort.max_voxels is {max_voxels}; "
        "raise that setting if the memory allows, or resample or crop the image",
    )


def _byte_order(start: bytes, size: int) -> Literal["<", ">"] | None:
    if start[:4] == size.to_bytes(4, "little"):
        return "<"
    return ">" if start[:4] == size.to_bytes(4, "big") else None


def _bad_header(why: Message) -> VolumeError:
    return VolumeError(
        "bad_header", f"the header is damaged: {why}; {_COPY_ADVICE}, or write it anew from the original images"
    )


def _read_shape(header: Any) -> tuple[int, ...]:
    dimensions = int(header["dim"][0])
    if not 1 <= dimensions <= 7:
        raise _bad_header(f"it has {dimensions} dimensions")
    shape = tuple(int(length) for length in header["dim"][1 : dimensions + 1])
    if min(shape) < 1:
        raise _bad_header(f"its shape is {format_shape(shape)}")
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    return shape


def _read_dtype(header: Any) -> np.dtype[Any]:
    code = int(header["datatype"])
    if what := _UNSUPPORTED_DATATYPES.get(code):
        raise VolumeError(
            "wrong_data_type",
            f"the voxels are {what}, not one intensity each; export the image in grey, as whole or real numbers",
        )
    try:
        dtype: np.dtype[Any] = np.dtype(header.get_data_dtype())
    except (HeaderDataError, KeyError):
        dtype = np.dtype(np.void)
    if dtype.kind not in "iuf" or dtype.itemsize > 8:
        raise _bad_header(f"its data type ({code}) is not one of whole or real numbers")
    return dtype


def _read_offset(header: Any, minimum: int) -> int:
    offset = float(header["vox_offset"])
    if not minimum <= offset <= MAX_HEADER_BYTES or offset != int(offset):
        raise _bad_header(f"it says that the voxels begin at byte {offset:g}")
    return int(offset)


def not_3d_message(shape: Sequence[int]) -> Message:
    """What to say of a volume that has not three dimensions."""
    several = "; export the one volume that is needed as a file of its own" if len(shape) > 3 else ""
    return f"the volume is {format_shape(shape)}, not three-dimensional{several}"
