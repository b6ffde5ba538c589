"""The exception of a file that cannot be read."""

from tumorseg.errors import Message


class Damage(Exception):  # noqa: N818 - it is a finding about a file, not an error of the program
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
