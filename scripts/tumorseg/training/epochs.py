"""After which epochs a checkpoint is saved, and from which one a training goes on. Read at every planning."""


def checkpoint_epochs(epochs: int, interval: int) -> list[int]:
    """The epochs after which a checkpoint is saved: every `interval`-th, and the last."""
    return sorted({*range(interval, epochs + 1, interval), epochs})


def previous_epoch(epoch: int, interval: int) -> int:
    """The epoch of the checkpoint from which the training of `epoch` goes on; 0 for the beginning.

    It depends on no number of epochs, so that 2 epochs and later 4 are the same as 4 at once.
    """
    return (epoch - 1) // interval * interval
