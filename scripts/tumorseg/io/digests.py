"""Compute digests of files and of arrays, as hexadecimal text."""

import hashlib
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from numpy.typing import NDArray
from xxhash import xxh3_128, xxh3_128_hexdigest

_MAX_BYTES: Final = 2**32


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def file_digest(path: Path) -> str:
    """Return the XXH3-128 of a file's bytes, as in `Volume.digest`."""
    return xxh3_128_hexdigest(path.read_bytes())


def file_digest_or_none(path: Path) -> str | None:
    """Return the XXH3-128 of a regular file; None if it is not regular, is larger than 4 GiB, or cannot be read."""
    hasher: Any = xxh3_128  # hashlib accepts it, but its type stub does not
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > _MAX_BYTES:
            return None
        with path.open("rb") as file:
            return str(hashlib.file_digest(file, hasher).hexdigest())
    except OSError:
        return None


def content_digest(arrays: Mapping[str, NDArray[Any]], text: str) -> str:
    """Return the SHA-256 of arrays (names, types, shapes, values) and a text.

    Args:
        arrays: contiguous arrays by name, of any shape and dtype.
        text: text that the digest covers too.
    """
    digest = hashlib.sha256(text.encode())
    for name, array in sorted(arrays.items()):
        digest.update(f"\n{name} {array.dtype} {array.shape}\n".encode())
        digest.update(array.reshape(-1).data)
    return digest.hexdigest()
