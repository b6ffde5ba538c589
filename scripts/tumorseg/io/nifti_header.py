"""Parse and check the header of a NIfTI file.

References:
    https://nifti.nimh.nih.gov/nifti-1
"""

import gzip
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from nibabel.nifti1 import Nifti1Header
from nibabel.nifti2 import Nifti2Header
from nibabel.spatialimages import HeaderDataError

from tumorseg.errors import Message
from tumorseg.geometry import format_shape
from tumorseg.io.decompression import GZIP_MAGIC
from tumorseg.io.nifti_orientation import HeaderOrientation, form_fields, read_orientation
from tumorseg.io.volume_errors import VolumeError, not_nifti_error
from tumorseg.io.volume_limits import MAX_HEADER_BYTES

_MAX_DEFLATE_RATIO: Final = 1032
"""Largest ratio of decompressed to compressed bytes that DEFLATE can reach."""

NIFTI1_HEADER_BYTES: Final = 348
NIFTI2_HEADER_BYTES: Final = 540
_UNSUPPORTED_DATATYPES: Final[dict[int, Message]] = {
    128: "RGB colours",
    2304: "RGBA colours",
    32: "complex numbers",
    1792: "complex numbers",
    2048: "complex numbers",
}
"""Data types, by their code in a header, whose voxels are not one intensity each."""
_COPY_ADVICE: Final = "copy or download the file again"


@dataclass(frozen=True, eq=False)
class NiftiHeader:
    """The content of a valid header.

    Attributes:
        shape: voxels along each axis, without trailing axes of length 1 after the third.
        dtype: of the voxels in the file, in its byte order.
        offset: bytes before the voxels.
        orientation: the affine and the forms.
        slope: factor of the intensities; 1 if the header scales nothing.
        inter: offset of the intensities; 0 if the header scales nothing.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    offset_bytes: int
    orientation: HeaderOrientation
    slope: float
    inter: float

    @property
    def voxel_count(self) -> int:
        """Number of voxels."""
        return math.prod(self.shape)

    @property
    def voxel_bytes(self) -> int:
        """Bytes of the voxels in the file."""
        return self.voxel_count * self.dtype.itemsize

    @property
    def memory_dtype(self) -> np.dtype[Any]:
        """Data type of the voxels in memory, in native byte order; floating if the header scales the intensities."""
        native = self.dtype.newbyteorder("=")
        return native if (self.slope, self.inter) == (1.0, 0.0) else np.result_type(native, np.float32)


def header_length(start: bytes) -> int:
    """Return the length in bytes of the header of a file that begins with `start`.

    Raises:
        VolumeError: the file does not begin with a NIfTI header.
    """  # noqa: DOC501
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


@lru_cache(maxsize=8)  # the images of a case mostly have equal headers
def parse_header(block: bytes) -> NiftiHeader:
    """Return the content of the header at the start of a file.

    Args:
        block: first bytes of the file, at least `header_length` of them.

    Raises:
        VolumeError: `bad_header` if the header is invalid, `wrong_data_type` if a voxel is not one intensity.
    """  # noqa: DOC501
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
        orientation = read_orientation(header, shape)
    except ValueError as error:
        raise _bad_header(str(error)) from None
    return NiftiHeader(shape, dtype, offset, orientation, slope, inter)


def read_form_fields(path: Path) -> dict[str, Any] | None:
    """Return the fields of both forms in the header of a valid file, see `nifti_orientation.form_fields`."""
    return form_fields(_raw_header(path))


def read_description(path: Path) -> str:
    """Return the description in the header of a valid file, without characters that are not ASCII."""
    return bytes(_raw_header(path)["descrip"].item()).decode("ascii", errors="ignore")


def _raw_header(path: Path) -> Any:
    """Return the header of a valid file as it is."""
    with path.open("rb") as file:
        compressed = file.read(len(GZIP_MAGIC)) == GZIP_MAGIC
    with gzip.open(path) if compressed else path.open("rb") as content:
        block = content.read(NIFTI2_HEADER_BYTES)
    size = header_length(block)
    kind: Any = Nifti1Header if size == NIFTI1_HEADER_BYTES else Nifti2Header
    return kind(block[:size], endianness=_byte_order(block, size), check=False)


def raise_if_too_large(header: NiftiHeader, max_voxels: int, file_bytes: int, *, compressed: bool) -> None:
    """Check that a volume is not larger than `max_voxels`.

    Args:
        header: of the volume.
        max_voxels: the largest number of voxels accepted.
        file_bytes: size of the file on disk.
        compressed: whether the file is compressed.

    Raises:
        VolumeError: `bad_header` if the file is too small for its header, `wrong_shape` if it holds several volumes,
            else `too_large`.
    """
    if header.voxel_count <= max_voxels:
        return
    text = format_shape(header.shape)
    if header.offset_bytes + header.voxel_bytes > file_bytes * (_MAX_DEFLATE_RATIO if compressed else 1):
        raise VolumeError(
            "bad_header",
            f"the header promises {text} voxels of {header.dtype.name}, more than a file of {file_bytes} bytes can "
            f"hold; {_COPY_ADVICE}",
        )
    if len(header.shape) != 3:
        raise VolumeError("wrong_shape", not_3d_message(header.shape))
    raise VolumeError(
        "too_large",
        f"the volume has {header.voxel_count} voxels ({text}), and cohort.max_voxels is {max_voxels}; "
        "raise that setting if the memory allows, or resample or crop the image",
    )


def _byte_order(start: bytes, size: int) -> Literal["<", ">"] | None:
    if start[:4] == size.to_bytes(4, "little"):
        return "<"
    return ">" if start[:4] == size.to_bytes(4, "big") else None


def _bad_header(why: Message) -> VolumeError:
    return VolumeError(
        "bad_header", f"the header is corrupted: {why}; {_COPY_ADVICE}, or convert the original images again"
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
            f"the voxels are {what}, not one intensity each; export the image in grey, as integers or floats",
        )
    try:
        dtype: np.dtype[Any] = np.dtype(header.get_data_dtype())
    except (HeaderDataError, KeyError):
        dtype = np.dtype(np.void)
    if dtype.kind not in "iuf" or dtype.itemsize > 8:
        raise _bad_header(f"its data type ({code}) is neither integer nor floating-point")
    return dtype


def _read_offset(header: Any, minimum: int) -> int:
    offset = float(header["vox_offset"])
    if not minimum <= offset <= MAX_HEADER_BYTES or offset != int(offset):
        raise _bad_header(f"the position of its voxels, byte {offset:g}, is invalid")
    return int(offset)


def not_3d_message(shape: Sequence[int]) -> Message:
    """Return the message for a volume that does not have three dimensions."""
    several = "; export the volume that you need as a separate file" if len(shape) > 3 else ""
    return f"the volume is {format_shape(shape)}, but must be 3D{several}"
