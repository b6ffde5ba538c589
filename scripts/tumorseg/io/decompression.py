"""Read the content of a file in memory, plain or gzip, in chunks no larger than requested."""

from typing import Final

import deflate
import numpy as np
from isal import igzip_lib, isal_zlib

from tumorseg.io.volume_errors import VolumeError

GZIP_MAGIC: Final = b"\x1f\x8b"
_GZIP_MAGIC_NUMBER: Final = int.from_bytes(GZIP_MAGIC, "little")
MIB: Final = 2**20
DRAIN_LIMIT_BYTES: Final = 256 * MIB
_INPUT_CHUNK_BYTES: Final = MIB // 16


def open_content(raw: bytes) -> "PlainContent | GzipContent":
    """Return a reader of a file's content; the first bytes decide whether it is compressed."""
    return GzipContent(raw) if raw.startswith(GZIP_MAGIC) else PlainContent(raw)


def decompress_single_member(raw: bytes, length: int) -> bytearray | None:
    """Decompress a gzip file that is one valid member of `length` bytes and nothing else, and check its CRC.

    This takes a quarter of the time of `GzipContent`. It does not notice trailing bytes that end in the member's own
    length, but these do not occur by accident.

    Returns:
        The content; None for any other file. Use `GzipContent` to find the problem.
    """
    if length != int.from_bytes(raw[-4:], "little") or _may_have_another_member(raw):
        return None
    try:
        content: bytearray = deflate.gzip_decompress(raw, length)
    except (deflate.DeflateError, ValueError):
        return None
    return content if len(content) == length else None


def _may_have_another_member(raw: bytes) -> bool:
    """Return whether the file may hold two gzip members of equal length."""
    # Every member ends with its length, so the second one would follow the same four bytes.
    for offset in (0, 1):  # comparing whole arrays takes a fifth of the time of raw.find
        pairs = np.frombuffer(raw, "<u2", (len(raw) - offset) // 2, offset)
        found = (pairs == _GZIP_MAGIC_NUMBER).tobytes()
        pair = found.find(1)
        while pair >= 0:
            start = 2 * pair + offset
            if raw[start - 4 : start] == raw[-4:]:
                return True
            pair = found.find(1, pair + 1)
    return False


class PlainContent:
    """Reads the content of an uncompressed file in memory.

    Attributes:
        trailing_bytes: 0, since all bytes are content.
    """

    trailing_bytes = 0

    def __init__(self, raw: bytes | bytearray) -> None:
        self._raw = memoryview(raw).toreadonly()
        self._position = 0

    def take(self, count: int) -> bytes | memoryview:
        """Return the next `count` bytes without copying them; fewer only at the end of the content."""
        piece = self._raw[self._position : self._position + count]
        self._position += len(piece)
        return piece

    def drain(self) -> None:
        """Do nothing: plain bytes need no check."""


class GzipContent:
    """Decompresses a gzip file in memory. Checks the CRC and the length of each of its members.

    Attributes:
        trailing_bytes: number of bytes after the last member, without zeros, which gzip allows as padding.
    """

    def __init__(self, raw: bytes) -> None:
        self.trailing_bytes = 0
        self._raw = memoryview(raw)
        self._position = 0
        self._member = isal_zlib.decompressobj(wbits=31)
        self._finished = False

    def take(self, count: int) -> bytes | memoryview:
        """Return the next `count` bytes, read-only; fewer only at the end of the content.

        Only these bytes are decompressed and held in memory.

        Raises:
            VolumeError: `truncated` if the file ends too early, `crc_mismatch` if it is corrupted.
        """
        taken = np.empty(count, np.uint8).data  # uses memory only as it is filled, however much a header promises
        length = 0
        while length < count and not self._finished:
            piece = self._decompress(count - length)
            taken[length : length + len(piece)] = piece
            length += len(piece)
        return taken[:length].toreadonly()

    def drain(self) -> None:
        """Read the rest of the content, up to 256 MiB, to find corruption.

        Raises:
            VolumeError: as for `take`.
        """
        for _ in range(DRAIN_LIMIT_BYTES // MIB):
            if not self.take(MIB):
                return

    def _decompress(self, count: int) -> bytes:
        """Return some of the next `count` bytes."""
        # Small inputs, since the decompressor copies what it does not consume of each.
        chunk = self._raw[self._position : self._position + _INPUT_CHUNK_BYTES]
        try:
            piece: bytes = self._member.decompress(chunk, count)
        except igzip_lib.IsalError as error:  # type: ignore[misc]  # wrong in its stub
            raise VolumeError(
                "crc_mismatch",
                f"the compressed content is corrupted ({str(error).removesuffix(' found')}); copy or download the file "
                "again",
            ) from None
        rest = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
        self._position += len(chunk) - len(rest)
        if self._member.eof:
            self._next_member()
        elif not piece and not chunk:
            raise VolumeError(
                "truncated", "the compressed content stops in the middle; copy or download the file again"
            )
        return piece

    def _next_member(self) -> None:
        if bytes(self._raw[self._position : self._position + len(GZIP_MAGIC)]) == GZIP_MAGIC:
            self._member = isal_zlib.decompressobj(wbits=31)
        else:
            self._finished = True
            self.trailing_bytes = len(bytes(self._raw[self._position :]).strip(b"\0"))
