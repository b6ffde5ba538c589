"""What is wrong with a file that cannot be read as a volume: the exception, and what the file is instead.

A file in the place of a NIfTI volume is identified by its first bytes: archive, other image format, web page,
or a link or pointer whose content was not downloaded.
"""

from typing import Final

from tumorseg.errors import Message


class VolumeError(Exception):
    """A file cannot be read as a volume: one or two sentences on what is wrong, and what the user can do.

    code: one of `codes.PROBLEMS`. size: bytes of the file on disk, where it has any. digest: XXH3-128 of them, where
    they could be read; files that are too large are not.
    """

    def __init__(self, code: str, message: Message, size: int | None = None) -> None:
        super().__init__(message)
        self.code: str = code
        self.message = message
        self.size = size
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
    """Return what is wrong with a file whose content begins so, which is no NIfTI header; 352 bytes are enough.

    It is `not_nifti`, or `not_downloaded` where the file only stands in for a volume.
    """
    for offset, magic, what in _ARCHIVES:
        if start[offset:].startswith(magic):
            return _not_nifti(f"the file is {what}, whatever its name; {_EXTRACT}")
    for offset, magic, what in _FORMATS:
        if start[offset:].startswith(magic):
            return _not_nifti(f"the file is {what}, whatever its name; {_CONVERT}")
    if start[344:348] == b"ni1\0" or start[4:8] == b"ni2\0":
        return _not_nifti(
            f"the file is the header of a pair .hdr/.img, without the voxels; {_CONVERT}, from both files"
        )
    if _is_analyze(start):
        return _not_nifti(
            "the file has a header of the Analyze format, which does not say which side is left, or a damaged one of "
            "NIfTI; convert the original images to .nii.gz"
        )
    if _is_mgh(start):
        return _not_nifti(
            "the file is a FreeSurfer volume (MGH or MGZ), whatever its name; run mri_convert FILE .nii.gz"
        )
    if start and not any(start):
        return _not_nifti("the file begins with zeros, as an interrupted download leaves it; download it again")
    return text_file_error(start) or _not_nifti(
        "the file is no NIfTI volume (a single file, .nii or .nii.gz); convert it or replace it"
    )


def text_file_error(start: bytes) -> VolumeError | None:
    """Return what is wrong with a file of data that begins as text does; None where it does not."""
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
            "the file is a web page (HTML), a log-in or error page perhaps, saved in its place; download it again"
        )
    what: Message = "XML" if small.startswith("<") else "JSON" if small.startswith(("{", "[")) else "text"
    shown = " ".join(text[:_EXCERPT_LENGTH].split())
    return _not_nifti(f"the file is {what}, an error message perhaps ({shown!r}); download it again")


def broken_link_error(target: str) -> VolumeError:
    """Return what is wrong with a link that leads nowhere. target: where it leads."""
    if "annex/objects/" in target:
        return VolumeError("not_downloaded", _GIT_ANNEX)
    if ".dvc/cache/" in target:
        return VolumeError("not_downloaded", DVC_NOT_PULLED)
    name = target.rpartition("/")[2]  # what is compared between machines holds no paths of theirs
    return VolumeError("unreadable", f"this is a link to {name}, which is not there; put the file itself in its place")


def _decode_text(start: bytes) -> str | None:
    """The start of a file as text, less blanks before it; None where it is none."""
    encoding = next((name for mark, name in _ENCODINGS if start.startswith(mark)), "utf-8")
    text = start.decode(encoding, errors="replace").lstrip("\ufeff \t\r\n")
    # The last character may be cut in two.
    clean = [(letter.isprintable() and letter != "\ufffd") or letter in "\t\r\n\f" for letter in text[:-1]]
    return text if len(text) > 3 and all(clean) else None


def _is_analyze(start: bytes) -> bool:
    """The length of its header, as NIfTI has it, without the magic of NIfTI, which the caller looks for."""
    return len(start) >= 348 and 348 in (int.from_bytes(start[:4], "little"), int.from_bytes(start[:4], "big"))


def _is_mgh(start: bytes) -> bool:
    """Version 1, then four sizes and a known type, big-endian."""
    numbers = [int.from_bytes(start[place : place + 4], "big") for place in range(0, 24, 4)]
    return numbers[0] == 1 and all(0 < side < 2**15 for side in numbers[1:5]) and numbers[5] in (0, 1, 3, 4, 10)


def _not_nifti(message: Message) -> VolumeError:
    return VolumeError("not_nifti", message)
