"""The exceptions that users see, and the type of messages."""

from typing import TypeAlias

Message: TypeAlias = str
"""The annotation of texts that only people read: arguments, fields, variables and returned values.

It may be nested, as in `dict[bytes, Message]`, `tuple[str, Message]` or `Iterator[Message]`. The digest of the code
(`tumorseg.codedigest`) leaves these texts out, so that rewording one reruns nothing. The texts of a page or a table are
results and do not have this annotation.
"""


class UserError(Exception):
    """An error that the user can fix. The message says what is wrong and what to do; it is shown without traceback."""


class InvalidMaskError(Exception):
    """A mask cannot be scored. The message says what is wrong and what to do.

    Args:
        message: the problem and the remedy.
        systematic: whether other masks from the same source probably have the same problem.
    """

    def __init__(self, message: Message, *, systematic: bool = False) -> None:
        super().__init__(message)
        self.systematic = systematic
