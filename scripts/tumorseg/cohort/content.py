"""The content of a file in memory, plain or compressed, taken piece by piece so that no piece is larger than asked."""

from typing import Final

from isal import igzip_lib, isal_zlib

from tumorseg.cohort.damage import Damage

GZIP_MAGIC: Final = b"\x1f\x8b"
MIB: Final = 2**20
DRAIN_LIMIT: Final = 256 * MIB


class PlainContent:
    """The bytes of an uncompressed file. No checksum comes with it, and no byte is outside the content."""

    trailing = 0
    crc32 = None

    def __init__(self, raw: bytes) -> None:
        self._raw = memoryview(raw)
        self._position = 0

    def take(self, count: int) -> bytes | memoryview:
        """The next `count` bytes, fewer only where the content ends. Nothing is copied."""
        piece = self._raw[self._position : self._position + count]
        self._position += len(piece)
        return piece

    def drain(self) -> None:
        """Nothing is left to be checked."""


class GzipContent:
    """The decompressed bytes of a gzip file of one or more members, each checked against its CRC and its length.

    `trailing` counts bytes after the last member; zeros there are padding, as for gzip itself, and do not count.
    `crc32` is that of the whole content, known for nothing where this is one member that was read to its end.
    """

    def __init__(self, raw: bytes) -> None:
        self.trailing = 0
        self.crc32: int | None = None
        self._raw = self._left = raw
        self._member = isal_zlib.decompressobj(wbits=31)
        self._several = self._finished = False

    def take(self, count: int) -> bytes:
        """The next `count` bytes, fewer only where the content ends soundly.

        Raises Damage: `truncated` where the file ends too early, `crc_mismatch` where it is corrupt.
        """
        pieces = []
        while count > 0 and not self._finished:
            piece = self._decompress(count)
            pieces.append(piece)
            count -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def drain(self) -> None:
        """Read what is left, up to 256 MiB of it, and drop it: a corrupt file is told from one that was made wrong."""
        for _ in range(DRAIN_LIMIT // MIB):
            if not self.take(MIB):
                return

    def _decompress(self, count: int) -> bytes:
        try:
            piece: bytes = self._member.decompress(self._left, count)
        except igzip_lib.IsalError as error:  # type: ignore[misc]  # wrong in its stub
            reason = str(error).removesuffix(" found")
            raise Damage(
                "crc_mismatch", f"the compressed content is corrupt ({reason}); copy or download the file again"
            ) from None
        self._left = self._member.unconsumed_tail
        if self._member.eof:
            self._next_member(self._member.unused_data)
        elif len(piece) < count:
            raise Damage("truncated", "the compressed content stops in the middle; copy or download the file again")
        return piece

    def _next_member(self, rest: bytes) -> None:
        if rest.startswith(GZIP_MAGIC):
            self._several, self._left = True, rest
            self._member = isal_zlib.decompressobj(wbits=31)
        else:
            self._finished = True
            if not self._several:
                end = len(self._raw) - len(rest)
                self.crc32 = int.from_bytes(self._raw[end - 8 : end - 4], "little")  # the decompressor has checked it
            self.trailing = len(rest.strip(b"\0"))
