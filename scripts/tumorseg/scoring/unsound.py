"""Why a mask cannot be scored."""

from tumorseg.errors import Message


class UnsoundMask(Exception):  # noqa: N818 - a finding about a file, as `Damage` is
    """A mask cannot be scored: what is wrong with it, and what to do.

    systematic: other masks from the same source probably have it too.
    """

    def __init__(self, message: Message, *, systematic: bool = False) -> None:
        super().__init__(message)
        self.systematic = systematic
