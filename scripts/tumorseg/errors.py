"""What is meant for people's eyes: the one error of the user's own making, and the type of messages."""

from typing import TypeAlias

Message: TypeAlias = str
"""A text that people read and no code does: an argument, a field or a returned value with this annotation.

Its wording is no part of the digest of the code (`tumorseg.codedigest`), so rewording it reruns nothing.
"""


class UserError(Exception):
    """Something that the user can mend: the message names what is wrong and what to do, and is shown alone."""
