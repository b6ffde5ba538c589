"""The error of a file that cannot be read as a volume.

The first bytes of the file show what it is instead: an archive, another image format, a web page, or a link or pointer
whose content was not downloaded.
"""

from typing import Final

from tumorseg.errors import Message


class VolumeError(Exception):
    """A file cannot be read as a volume.

    Attributes:
        code: one of `validation_result.PROBLEM_CODES`.
        message: what is wrong and what the user can do, in one or two sentences.
        size_bytes: size of the file on disk, if known.
        digest: XXH3-128 of these bytes; None if they could not be read or the file is too large.
    """

    def __init__(self, code: str, message: Message, size_bytes: int | None = None) -> None:
        super().__init__(message)
        self.code: str = code
        self.message = message
        self.size_bytes = size_bytes
        self.digest: str | None = None


_EXTRACT: Final = "extract it and put its content here"
_CONVERT: Final = "convert it to .nii.gz"
_GIT_ANNEX: Final = (
    "this is a git-annex link whose content was not downloaded; "
    "run `datalad get FILE` or `git annex get FILE` in its data set"
)
_GIT_LFS: Final = "this is a Git LFS pointer whose content was not downloaded; run `git lfs pull` in its repository"
DVC_NOT_PULLED: Final = (
    "this is a DVC link or pointer whose content was not downloaded; run `dvc pull` in its repository"
)
_ARCHIVES: Final[tuple[tuple[int, bytes, Message], ...]] = (
    (0, b"PK\x03\x04", "a zip archive"),
    (0, b"PK\x05\x06", "an empty zip archive"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (0, b"Rar!\x1a\x07", "a RAR archive"),
    (257, b"ustar", "a tar archive"),
    (0, b"BZh", "compressed with bzip2"),
    (0, b"\xfd7zXZ\0", "compressed with xz"),
    (0, b"\x28\xb5\x2f\xfd", "compressed with Zstandard"),
    (0, b"\x1f\x8b", "compressed twice"),
)
_FORMATS: Final[tuple[tuple[int, bytes, Message], ...]] = (
    (128, b"DICM", "a DICOM file"),
    (0, b"NRRD", "an NRRD file"),
    (0, b"ObjectType", "a MetaImage header"),
    (0, b"\x89HDF\r\n\x1a\n", "an HDF5 file (MINC, for instance)"),
    (0, b"CDF\x01", "a NetCDF file (MINC, for instance)"),
    (0, b"CDF\x02", "a NetCDF file (MINC, for instance)"),
    (0, b"\x93NUMPY", "a NumPy array"),
    (0, b"\x89PNG\r\n\x1a\n", "a PNG picture"),
    (0, b"\xff\xd8\xff", "a JPEG picture"),
    (0, b"%PDF", "a PDF document"),
)
_ENCODINGS: Final = ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"), (b"\xef\xbb\xbf", "utf-8"))
_EXCERPT_LENGTH: Final = 60


def not_nifti_error(start: bytes) -> VolumeError:
    """Return the error of a file whose content does not begin with a NIfTI header.

    Args:
        start: the beginning of the content; 352 bytes are enough.

    Returns:
        `not_downloaded` if the file is a pointer to a volume, else `not_nifti`.
    """
    for offset, magic, what in _ARCHIVES:
        if start[offset:].startswith(magic):
            return _not_nifti(f"the file is {what}, despite its name; {_EXTRACT}")
    for offset, magic, what in _FORMATS:
        if start[offset:].startswith(magic):
            return _not_nifti(f"the file is {what}, despite its name; {_CONVERT}")
    if start[344:348] == b"ni1\0" or start[4:8] == b"ni2\0":
        return _not_nifti(
            f"the file is the header of an .hdr/.img pair, without the voxels; {_CONVERT}, from both files"
        )
    if _is_analyze(start):
        return _not_nifti(
            "the file has an Analyze header, which does not define the left side, or a corrupted NIfTI header; "
            "convert the original images to .nii.gz"
        )
    if _is_mgh(start):
        return _not_nifti(
            "the file is a FreeSurfer volume (MGH or MGZ), despite its name; run mri_convert FILE .nii.gz"
        )
    if start and not any(start):
        return _not_nifti("the file begins with zeros, as after an interrupted download; download it again")
    return text_file_error(start) or _not_nifti(
        "the file is not a NIfTI volume (a single file, .nii or .nii.gz); convert or replace it"
    )


def text_file_error(start: bytes) -> VolumeError | None:
    """Return the error of a data file that begins with text; None if it does not."""
    text = _decode_text(start)
    if text is None:
        return None
    small = text.lower()
    if "annex/objects/" in small.partition("\n")[0]:
        return VolumeError("not_downloaded", _GIT_ANNEX)
    if small.startswith("version https://git-lfs"):
        return VolumeError("not_downloaded", _GIT_LFS)
    if small.startswith("outs:") or "\nouts:" in small:
        return VolumeError("not_downloaded", DVC_NOT_PULLED)
    if small.startswith(("<!doctype html", "<html")) or "<html" in small or "<head" in small:
        return _not_nifti(
            "the file is a web page (HTML), perhaps a log-in or error page, saved in its place; download it again"
        )
    what: Message = "XML" if small.startswith("<") else "JSON" if small.startswith(("{", "[")) else "text"
    shown = " ".join(text[:_EXCERPT_LENGTH].split())
    return _not_nifti(f"the file is {what}, perhaps an error message ({shown!r}); download it again")


def broken_link_error(target: str) -> VolumeError:
    """Return the error of a broken link to `target`."""
    if "annex/objects/" in target:
        return VolumeError("not_downloaded", _GIT_ANNEX)
    if ".dvc/cache/" in target:
        return VolumeError("not_downloaded", DVC_NOT_PULLED)
    name = target.rpartition("/")[2]  # results must not hold paths of a machine
    return VolumeError("unreadable", f"this is a link to {name}, which does not exist; put the file itself here")


def _decode_text(start: bytes) -> str | None:
    """Return the start of a file as text, without leading blanks; None if it is not text."""
    encoding = next((name for mark, name in _ENCODINGS if start.startswith(mark)), "utf-8")
    text = start.decode(encoding, errors="replace").lstrip("\ufeff \t\r\n")
    # The last character may be cut in two.
    clean = [(letter.isprintable() and letter != "\ufffd") or letter in "\t\r\n\f" for letter in text[:-1]]
    return text if len(text) > 3 and all(clean) else None


def _is_analyze(start: bytes) -> bool:
    """Return whether a file without NIfTI's magic begins with the length of an Analyze header."""
    return len(start) >= 348 and 348 in (int.from_bytes(start[:4], "little"), int.from_bytes(start[:4], "big"))


def _is_mgh(start: bytes) -> bool:
    """Return whether a file begins with version 1, four sizes and a known data type, big-endian."""
    numbers = [int.from_bytes(start[offset : offset + 4], "big") for offset in range(0, 24, 4)]
    return numbers[0] == 1 and all(0 < side < 2**15 for side in numbers[1:5]) and numbers[5] in (0, 1, 3, 4, 10)


def _not_nifti(message: Message) -> VolumeError:
    return VolumeError("not_nifti", message)
