"""The exceptions that users see, and the type of messages."""

from typing import TypeAlias

Message: TypeAlias = str
"""A text that people read and no code does: an argument, a field, a variable or a returned value with this annotation.

It may stand within others: `dict[bytes, Message]`, `tuple[str, Message]`, `Iterator[Message]`. Its wording is no part
of the digest of the code (`tumorseg.codedigest`), so rewording it reruns nothing. The texts of a page or a table are
its content, and do not have this annotation.
"""


class UserError(Exception):
    """An error that the user can fix. The message says what is wrong and what to do, and is shown without traceback."""


class InvalidMaskError(Exception):
    """A mask cannot be scored: what is wrong with it, and what to do.

    systematic: other masks from the same source probably have it too.
    """

    def __init__(self, message: Message, *, systematic: bool = False) -> None:
        super().__init__(message)
        self.systematic = systematic
