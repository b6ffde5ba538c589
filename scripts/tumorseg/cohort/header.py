"""The header of a NIfTI file (https://nifti.nimh.nih.gov/nifti-1): what it promises, or why it cannot be right."""

import math
import warnings
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal

import numpy as np
from nibabel.nifti1 import Nifti1Header
from nibabel.nifti2 import Nifti2Header
from nibabel.spatialimages import HeaderDataError
from numpy.typing import NDArray

from tumorseg.cohort.damage import Damage

LARGEST_VOXELS: Final = 2**25
"""Voxels that a volume may have: 320x320x320 fit, almost four times the grid of BraTS. More are refused."""
LARGEST_VOLUME: Final = 128 * 2**20
"""Bytes that the voxels may take in memory: seven times an int16 volume of BraTS."""
LARGEST_OFFSET: Final = 2**24
LARGEST_FILE: Final = LARGEST_VOLUME + LARGEST_OFFSET
"""Bytes of a file, and of its decompressed content: the voxels and what stands before them."""

ZIP_MAGIC: Final = b"PK\x03\x04"
NIFTI1_BYTES: Final = 348
NIFTI2_BYTES: Final = 540
_LAST_XFORM_CODE: Final = 5
_AGAIN: Final = "copy or download the file again"


@dataclass(frozen=True, eq=False)
class Header:
    """What a sound header says. offset: bytes before the voxels. slope, inter: 1 and 0 where there is no scaling."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    offset: int
    affine: NDArray[np.float64]
    slope: float
    inter: float

    @property
    def voxel_bytes(self) -> int:
        """Bytes that the voxels occupy in the file."""
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def held_dtype(self) -> np.dtype[Any]:
        """The type of the voxels in memory, in native byte order: a real one where the file scales its intensities."""
        native = self.dtype.newbyteorder("=")
        return native if (self.slope, self.inter) == (1.0, 0.0) else np.result_type(native, np.float32)


def header_bytes(start: bytes) -> int:
    """Length of the header of a file that begins so.

    Raises Damage: `not_nifti`, or `truncated` and `bad_header` where it may once have been one.
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
    if start.startswith(ZIP_MAGIC):
        raise Damage("not_nifti", "the file is a zip archive, whatever its name; extract it and put its content here")
    raise Damage("not_nifti", "the file is no NIfTI volume (a single file, .nii or .nii.gz); convert it or replace it")


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
    promise = Header(shape, dtype, offset, _affine(header), slope, inter)
    voxels = math.prod(shape)
    if voxels > LARGEST_VOXELS or voxels * max(dtype.itemsize, promise.held_dtype.itemsize) > LARGEST_VOLUME:
        raise Damage(
            "bad_header",
            f"the header promises {'x'.join(map(str, shape))} voxels of {dtype.name}; at most {LARGEST_VOXELS} voxels "
            f"and {LARGEST_VOLUME // 2**20} MiB are read: if it is right, resample or crop the image, else {_AGAIN}",
        )
    return promise


def _byte_order(start: bytes, size: int) -> Literal["<", ">"] | None:
    if start[:4] == size.to_bytes(4, "little"):
        return "<"
    return ">" if start[:4] == size.to_bytes(4, "big") else None


def _bad(why: str) -> Damage:
    return Damage("bad_header", f"the header is damaged: {why}; {_AGAIN}, or write it anew from the original images")


def _shape(header: Any) -> tuple[int, ...]:
    dimensions = int(header["dim"][0])
    if not 1 <= dimensions <= 7:
        raise _bad(f"it has {dimensions} dimensions")
    shape = tuple(int(length) for length in header["dim"][1 : dimensions + 1])
    if min(shape) < 1:
        raise _bad(f"its shape is {'x'.join(map(str, shape))}")
    return shape


def _dtype(header: Any) -> np.dtype[Any]:
    try:
        dtype: np.dtype[Any] = np.dtype(header.get_data_dtype())
    except (HeaderDataError, KeyError):
        dtype = np.dtype(np.void)
    if dtype.kind not in "iuf" or dtype.itemsize > 8:
        raise _bad(f"its data type ({int(header['datatype'])}) is not one of whole or real numbers")
    return dtype


def _offset(header: Any, least: int) -> int:
    offset = float(header["vox_offset"])
    if not least <= offset <= LARGEST_OFFSET or offset != int(offset):
        raise _bad(f"it says that the voxels begin at byte {offset:g}")
    return int(offset)


def _affine(header: Any) -> NDArray[np.float64]:
    for code in ("qform_code", "sform_code"):
        if not 0 <= int(header[code]) <= _LAST_XFORM_CODE:
            header[code] = 0  # as if that orientation were not there, which is how nibabel reads it, too
    if header["pixdim"][0] not in (-1, 1):
        header["pixdim"][0] = 1  # the handedness; the standard reads 0 so
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
            affine = np.asarray(header.get_best_affine(), dtype=np.float64)
            lengths = np.linalg.norm(affine[:3, :3], axis=0)
            volume = abs(np.linalg.det(affine[:3, :3] / lengths))
    except (HeaderDataError, ValueError, np.linalg.LinAlgError):
        raise _bad("its orientation cannot be computed") from None
    if not (np.isfinite(affine).all() and volume > 1e-3):
        raise _bad("its orientation is not one of a volume in space")
    affine.flags.writeable = False
    return affine
