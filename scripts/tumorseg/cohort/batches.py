"""Which job a case belongs to."""

import hashlib


def batch_of(case: str, batches: int) -> str:
    """The batch of a case, such as `batch-007`, among `batches` of them.

    It depends on the case's own id only, so that a case that comes or goes leaves all others where they are.
    """
    number = int.from_bytes(hashlib.sha256(case.encode()).digest()[:8], "big") % batches
    return f"batch-{number:03d}"
