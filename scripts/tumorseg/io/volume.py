"""Read a NIfTI file completely, and check everything that its content allows to check."""

from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from xxhash import xxh3_128_hexdigest

from tumorseg.errors import Message
from tumorseg.io.decompression import GZIP_MAGIC, GzipContent, PlainContent, decompress_single_member, open_content
from tumorseg.io.files import describe_file_kind, is_transient
from tumorseg.io.nifti_header import NIFTI1_HEADER_BYTES, NiftiHeader, header_length, parse_header, raise_if_too_large
from tumorseg.io.nifti_orientation import OrientationWarning
from tumorseg.io.volume_errors import VolumeError, broken_link_error
from tumorseg.io.volume_limits import DEFAULT_MAX_VOXELS, max_file_bytes

_HEADER_READ_BYTES: Final = 2**12
"""Bytes of a compressed file that hold its header, unless it was built otherwise on purpose."""


@dataclass(frozen=True, eq=False)
class Volume:
    """A volume, with the properties of its file.

    Attributes:
        array: voxels (X, Y, Z) in the file's data type and memory order (Fortran); float32 or float64 if the header
            scales the intensities. Read-only.
        affine: voxel to millimetres, (4, 4).
        spacing_mm: voxel edges.
        size_bytes: size of the file on disk.
        digest: XXH3-128 of these bytes.
        trailing_bytes: number of bytes after the compressed content, which are not part of the volume.
        modified_s: time of the file's last change, in seconds since 1970.
        orientation_warning: the warning about the orientation in the header, if any.
        forms: see `HeaderOrientation.forms`.
    """

    array: NDArray[Any]
    affine: NDArray[np.float64]
    spacing_mm: tuple[float, ...]
    size_bytes: int
    digest: str
    trailing_bytes: int
    modified_s: float
    orientation_warning: OrientationWarning | None
    forms: dict[str, Any] | None

    @property
    def oriented(self) -> bool:
        """Whether the header gives the orientation in the patient; if not, the affine is a guess."""
        return self.orientation_warning is None or self.orientation_warning.code != "orientation_unknown"

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of voxels along each axis."""
        return self.array.shape

    def channel(self, place: int | None) -> "Volume":
        """Return one volume of a 4D file, without a copy. place: its index from 0; None for the whole file."""
        return self if place is None else replace(self, array=self.array[..., place])


def read_volume(path: Path, max_voxels: int = DEFAULT_MAX_VOXELS) -> Volume:
    """Return the volume in a NIfTI file, `.nii` or `.nii.gz`, after all checks.

    Args:
        path: file of the volume.
        max_voxels: largest number of voxels that is accepted.

    Raises:
        VolumeError: the file is not a valid volume.
        OSError: a transient error of the machine, which does not concern the file.
        MemoryError: there is not enough memory to read the file.
    """  # noqa: DOC501
    # Memory stays below the file plus twice its voxels, and below three times `max_file_bytes`, whatever the file is.
    size, digest = None, None
    try:
        raw, modified_s = _read_file(path, max_voxels)
        size, digest = len(raw), xxh3_128_hexdigest(raw)
        header, voxels, trailing_bytes = _decode(raw, max_voxels)
        affine = header.orientation.affine
        del raw  # free memory for the scaled voxels
        return Volume(
            array=_scale_intensities(np.frombuffer(voxels, header.dtype).reshape(header.shape, order="F"), header),
            affine=affine,
            # Rounded: headers hold float32, in which an oblique edge of 1 mm becomes 1.00000002 and misses thresholds.
            spacing_mm=tuple(round(float(edge), 6) for edge in np.linalg.norm(affine[:3, :3], axis=0)),
            size_bytes=size,
            digest=digest,
            trailing_bytes=trailing_bytes,
            modified_s=modified_s,
            orientation_warning=header.orientation.warning,
            forms=header.orientation.forms,
        )
    # No exception is kept after its handler: in a cycle with this frame it would keep the voxels in memory.
    except VolumeError as volume_error:
        if size is not None:
            volume_error.size_bytes, volume_error.digest = size, digest
        raise
    except MemoryError:
        raise MemoryError(f"{path}: not enough memory to read this file") from None
    except Exception as error:  # a malformed file must not end the run, whatever it raises
        if isinstance(error, OSError) and is_transient(error):
            raise OSError(error.errno, error.strerror, str(path)) from None
        raise _unreadable_error(type(error).__name__, size, digest) from error


def read_volume_header(path: Path) -> NiftiHeader:
    """Return the header of a NIfTI file without reading its voxels.

    Raises:
        VolumeError: the file has no valid header.
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        return _read_header(open_content(file.read(_HEADER_READ_BYTES)))[0]


def _unreadable_error(reason: Message, size: int | None, digest: str | None) -> VolumeError:
    error = VolumeError("unreadable", f"the file cannot be read ({reason}); replace it", size)
    error.digest = digest
    return error


def _read_file(path: Path, max_voxels: int) -> tuple[bytes, float]:
    """Return the bytes of a file and the time of its last change, in seconds since 1970."""
    try:
        status = path.stat()
        if kind := describe_file_kind(status.st_mode):
            raise VolumeError("unreadable", f"this is {kind}, not a file; put the file itself here")
        with path.open("rb") as file:
            if status.st_size > max_file_bytes(max_voxels):
                raise _too_large_error(file.read(_HEADER_READ_BYTES), status.st_size, max_voxels)
            raw = file.read(status.st_size + 1)
    except OSError as error:
        if is_transient(error):
            raise
        if path.is_symlink() and not path.exists():
            raise broken_link_error(str(path.readlink())) from None
        raise VolumeError(
            "unreadable", f"the file cannot be read ({error.strerror}); check its permissions and the disk"
        ) from None
    if len(raw) > status.st_size:
        raise VolumeError("unreadable", "the file grew while it was read; run again when it is complete")
    return raw, status.st_mtime


def _too_large_error(start: bytes, size: int, max_voxels: int) -> VolumeError:
    """Return the error of a file larger than `max_file_bytes`, whose first bytes on disk are `start`."""
    try:
        header = _read_header(open_content(start))[0]
        raise_if_too_large(header, max_voxels, size, compressed=start.startswith(GZIP_MAGIC))
    except VolumeError as error:
        error.size_bytes = size
        return error
    return _surplus_data_error(header, size)


def _decode(raw: bytes, max_voxels: int) -> tuple[NiftiHeader, bytes | bytearray | memoryview, int]:
    """Return the header, the bytes of the voxels, and the number of bytes after the compressed content."""
    if not raw:
        raise VolumeError("empty_file", "the file is empty; copy or download it again")
    compressed = raw.startswith(GZIP_MAGIC)
    if compressed and (found := _decode_single_member(raw, max_voxels)):
        return *found, 0
    content = open_content(raw)
    try:
        header, read = _read_header(content)
        raise_if_too_large(header, max_voxels, len(raw), compressed=compressed)
        voxels = _read_voxels(content, header, read)
    except VolumeError as error:
        if error.code in ("not_nifti", "bad_header", "wrong_data_type"):
            content.drain()  # raises if the file is corrupted, which explains a bad header
        raise
    return header, voxels, content.trailing_bytes


def _decode_single_member(raw: bytes, max_voxels: int) -> tuple[NiftiHeader, memoryview] | None:
    """Return the header and voxel bytes of a valid compressed file; None if anything is wrong with it."""
    with suppress(VolumeError):
        header, _ = _read_header(GzipContent(raw[:_HEADER_READ_BYTES]))
        raise_if_too_large(header, max_voxels, len(raw), compressed=True)
        if content := decompress_single_member(raw, header.offset_bytes + header.voxel_bytes):
            return header, memoryview(content).toreadonly()[header.offset_bytes :]
    return None


def _read_header(content: GzipContent | PlainContent) -> tuple[NiftiHeader, int]:
    """Return the header, and the number of bytes read for it."""
    start = bytes(content.take(NIFTI1_HEADER_BYTES + 4))
    if not start:
        raise VolumeError("empty_file", "the compressed content is empty; copy or download the file again")
    block = start + bytes(content.take(header_length(start) + 4 - len(start)))
    return parse_header(block), len(block)


def _read_voxels(content: GzipContent | PlainContent, header: NiftiHeader, read: int) -> bytes | memoryview:
    """Return the bytes of the voxels; `read` bytes of the content have been read already."""
    content.take(header.offset_bytes - read)  # extensions
    voxels = content.take(header.voxel_bytes)
    if len(voxels) < header.voxel_bytes:
        raise VolumeError(
            "truncated",
            f"the file holds {len(voxels)} bytes of voxels, but its header promises {header.voxel_bytes}; "
            "copy or download it again",
        )
    if content.take(1):
        raise _surplus_data_error(header)
    return voxels


def _surplus_data_error(header: NiftiHeader, size: int | None = None) -> VolumeError:
    return VolumeError(
        "bad_header",
        f"the file holds more than the {header.voxel_bytes} bytes of voxels that its header promises; "
        "copy or download it again, or convert the original images again",
        size,
    )


def _scale_intensities(array: NDArray[Any], header: NiftiHeader) -> NDArray[Any]:
    native = array.astype(array.dtype.newbyteorder("="), copy=False)
    if (header.slope, header.inter) == (1.0, 0.0):
        return native
    real = header.memory_dtype.type
    with np.errstate(all="ignore"):  # an overflow gives a non-finite value, which has its own problem code
        scaled: NDArray[Any] = native * real(header.slope)
        scaled += real(header.inter)
    return scaled
