"""Compute digests of arrays and of files."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from xxhash import xxh3_128_hexdigest


def content_digest(arrays: Mapping[str, NDArray[Any]], text: str) -> str:
    """Return the hexadecimal SHA-256 of contiguous arrays (names, types, shapes, values) and of `text`."""
    digest = hashlib.sha256(text.encode())
    for name, array in sorted(arrays.items()):
        digest.update(f"\n{name} {array.dtype} {array.shape}\n".encode())
        digest.update(array.reshape(-1).data)
    return digest.hexdigest()


def file_digest(path: Path) -> str:
    """Return the hexadecimal XXH3-128 of a file's bytes, as in `Volume.digest`."""
    return xxh3_128_hexdigest(path.read_bytes())
