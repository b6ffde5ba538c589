"""A volume in memory, from a file that was read once and to its last byte."""

import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xxhash import xxh3_128_hexdigest

from tumorseg.cohort.content import GzipContent, PlainContent, content_of
from tumorseg.cohort.damage import Damage
from tumorseg.cohort.header import LARGEST_FILE, NIFTI1_BYTES, Header, header_bytes, parse_header


@dataclass(frozen=True, eq=False)
class Volume:
    """A volume and what its file says of it.

    array: voxels (X, Y, Z) in the file's own type and order in memory (Fortran), read-only; float32 or float64 where
    the file scales its intensities. affine: voxel to millimetres, 4x4. spacing: voxel edges in millimetres. size: bytes
    of the file as it stands on disk. digest: XXH3-128 of those bytes. trailing: bytes after the end of the compressed
    content, which are not part of the volume.
    """

    array: NDArray[Any]
    affine: NDArray[np.float64]
    spacing: tuple[float, ...]
    size: int
    digest: str
    trailing: int

    @property
    def shape(self) -> tuple[int, ...]:
        """Voxels along each axis."""
        return self.array.shape


def read_volume(path: Path) -> Volume:
    """Read a NIfTI file (`.nii` or `.nii.gz`, told apart by their first bytes), checking all that can be checked.

    Memory stays below three times `header.LARGEST_FILE`, whatever the file is. Raises Damage, and nothing else.
    """
    raw = None
    try:
        raw = _read(path)
        return _volume(raw)
    # No exception gets a name that outlasts its handler: in a cycle with this frame it would keep the voxels in memory.
    except Damage as damage:
        _of_bytes(raw, damage)
        raise
    except Exception as error:  # whatever a hostile file provokes is a verdict on it, not the end of the run
        reason = f"the file cannot be read ({type(error).__name__}); replace it"
        raise _of_bytes(raw, Damage("unreadable", reason)) from error


def _of_bytes(raw: bytes | None, damage: Damage) -> Damage:
    """What is wrong with a file, with the digest of its bytes where these could be read."""
    if raw is not None:
        damage.size, damage.digest = len(raw), xxh3_128_hexdigest(raw)
    return damage


def _volume(raw: bytes) -> Volume:
    if not raw:
        raise Damage("empty_file", "the file is empty; copy or download it again")
    content = content_of(raw, LARGEST_FILE)
    try:
        header, voxels = _decode(content)
    except Damage as damage:
        if damage.code in ("not_nifti", "bad_header"):
            content.drain()  # raises where the file is corrupt, which explains a bad header
        raise
    array = np.frombuffer(voxels, header.dtype).reshape(header.shape, order="F")
    return Volume(
        array=_scaled(array, header),
        affine=header.affine,
        # Rounded: in float32, which headers hold, an edge of 1 mm that is oblique is 1.00000002, and no threshold.
        spacing=tuple(round(float(edge), 6) for edge in np.linalg.norm(header.affine[:3, :3], axis=0)),
        size=len(raw),
        digest=xxh3_128_hexdigest(raw),
        trailing=content.trailing,
    )


def _read(path: Path) -> bytes:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise Damage("unreadable", "this is no file; put the file itself in its place")
        if status.st_size > LARGEST_FILE:
            raise Damage(
                "unreadable",
                f"the file has {status.st_size} bytes, and at most {LARGEST_FILE} are read; "
                "resample or crop the image, or replace the file",
                size=status.st_size,
            )
        return path.read_bytes()
    except OSError as error:
        raise Damage(
            "unreadable", f"the file cannot be read ({error.strerror}); check its permissions and the disk"
        ) from None


def _decode(content: GzipContent | PlainContent) -> tuple[Header, bytes | memoryview]:
    start = bytes(content.take(NIFTI1_BYTES + 4))
    if not start:
        raise Damage("empty_file", "the compressed content is empty; copy or download the file again")
    block = start + bytes(content.take(header_bytes(start) + 4 - len(start)))
    header = parse_header(block)
    content.take(header.offset - len(block))  # extensions
    voxels = content.take(header.voxel_bytes + 1)
    if len(voxels) < header.voxel_bytes:
        raise Damage(
            "truncated",
            f"the file holds {len(voxels)} bytes of voxels where its header promises {header.voxel_bytes}; "
            "copy or download it again",
        )
    if len(voxels) > header.voxel_bytes:
        raise Damage(
            "bad_header",
            f"the file holds more than the {header.voxel_bytes} bytes of voxels that its header promises; "
            "copy or download it again, or write it anew from the original images",
        )
    return header, voxels


def _scaled(array: NDArray[Any], header: Header) -> NDArray[Any]:
    native = array.astype(array.dtype.newbyteorder("="), copy=False)
    if (header.slope, header.inter) == (1.0, 0.0):
        return native
    real = header.held_dtype.type
    with np.errstate(all="ignore"):  # an overflow shows as a value that is not finite, which has a code of its own
        scaled: NDArray[Any] = native * real(header.slope)
        scaled += real(header.inter)
    return scaled
