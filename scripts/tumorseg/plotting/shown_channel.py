"""Choose the channel that masks are drawn over."""

from typing import Any

from numpy.typing import NDArray


def has_channel(image: NDArray[Any], channel: int) -> bool:
    """Return whether a normalised case has a channel: one that it lacks is 0 everywhere.

    Args:
        image: normalised channels, (channels, X, Y, Z).
        channel: index of the channel.
    """
    return bool(image[channel].any())


def shown_channel(image: NDArray[Any], preferred: int) -> int:
    """Return the index of the preferred channel; of the first channel that the case has if it lacks that one.

    Args:
        image: normalised channels, (channels, X, Y, Z).
        preferred: index of the channel to show if the case has it.
    """
    candidates = (preferred, *range(len(image)))
    return next((channel for channel in candidates if has_channel(image, channel)), preferred)
