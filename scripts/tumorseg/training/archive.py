"""Whether a file is an archive as `torch.save` writes it, judged by its directory; its content is not read."""

import struct
from pathlib import Path
from typing import Final
from zipfile import ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from tumorseg.errors import Message

_LARGEST_DIRECTORY: Final = 4 * 2**20
"""Bytes, for 40,000 tensors and more. zipfile takes ten times as much memory for it."""
_LARGEST_PICKLE: Final = 16 * 2**20
"""Bytes of what is no tensor: configuration, history, names and digests of the cases."""
_LOCAL_HEADER: Final = 30
_ENCRYPTED: Final = 1


class _DirectoryReader:
    """A file that gives no more than a directory's bytes at once."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self.seek, self.tell, self.close = self._file.seek, self._file.tell, self._file.close

    def read(self, size: int = -1) -> bytes:
        if size > _LARGEST_DIRECTORY:
            raise ValueError(f"its directory of {size} bytes is too large")
        return self._file.read(_LARGEST_DIRECTORY if size < 0 else size)

    def seekable(self) -> bool:
        return True


def archive_problem(path: Path) -> Message | None:
    """What is wrong with a regular file as the archive of a checkpoint; None if nothing is.

    torch would unpack compressed members of any size, and believes what the directory says of them. Raises OSError.
    """
    with path.open("rb") as file:
        if file.read(4) != b"PK\x03\x04":
            return "is not an archive as torch.save writes it"
    try:
        reader = _DirectoryReader(path)
        try:
            with ZipFile(reader) as archive:
                return _directory_problem(archive)
        finally:
            reader.close()
    # zipfile raises many kinds where the directory is no directory
    except (BadZipFile, ValueError, IndexError, EOFError, NotImplementedError, OverflowError, struct.error) as error:
        return f"is not an archive as torch.save writes it ({error})"


def _directory_problem(archive: ZipFile) -> Message | None:
    members = sorted(archive.infolist(), key=lambda member: member.header_offset)
    if len({member.filename for member in members}) < len(members):
        return "is an archive with two members of one name"
    for member in members:
        if member.compress_type != ZIP_STORED or member.file_size != member.compress_size:
            return f"is an archive with a compressed member ({member.filename}), which torch.save never writes"
        if member.flag_bits & _ENCRYPTED:
            return f"is an archive with an encrypted member ({member.filename})"
        if member.filename.endswith(".pkl") and member.file_size > _LARGEST_PICKLE:
            return f"is an archive with a description of {member.file_size} bytes ({member.filename})"
    ends = [member.header_offset for member in members[1:]] + [archive.start_dir]
    for member, end in zip(members, ends, strict=True):
        if _least_end(member) > end:
            return f"is an archive whose members overlap or are larger than the file ({member.filename})"
    if archive.comment or (members and members[0].header_offset):
        return "is an archive with bytes before or after it"
    return None


def _least_end(member: ZipInfo) -> int:
    """Where a member ends at the earliest: its own header may be longer than the one in the directory."""
    return member.header_offset + _LOCAL_HEADER + len(member.filename.encode()) + member.compress_size
