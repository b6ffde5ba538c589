"""One digest of arrays and of the text that says what they are."""

import hashlib
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray


def content_digest(arrays: Mapping[str, NDArray[Any]], text: str) -> str:
    """Hexadecimal SHA-256 over contiguous arrays (names, types, shapes, values) and over `text`."""
    digest = hashlib.sha256(text.encode())
    for name, array in sorted(arrays.items()):
        digest.update(f"\n{name} {array.dtype} {array.shape}\n".encode())
        digest.update(array.reshape(-1).data)
    return digest.hexdigest()
