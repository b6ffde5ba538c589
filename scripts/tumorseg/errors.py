"""The one error that is meant for the user's eyes."""


class UserError(Exception):
    """Something that the user can mend: the message names what is wrong and what to do, and is shown alone."""
