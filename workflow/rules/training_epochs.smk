"""The epochs after which a checkpoint is saved, and the files of checkpoints."""

from tumorseg.training import schedule


def checkpoint_epochs():
    """Return the epochs after which a checkpoint is saved, as written in file names."""
    training = config["training"]
    return [
        f"{epoch:04d}" for epoch in schedule.checkpoint_epochs(training["epochs"], training["epochs_per_checkpoint"])
    ]


def checkpoint_files(fold, suffix="pt"):
    """Return the checkpoints of a fold, or the files beside them with another suffix."""
    return expand(
        "results/training/fold-{fold}/epoch-{epoch}.{suffix}", fold=fold, epoch=checkpoint_epochs(), suffix=suffix
    )


def previous_file(wildcards, suffix):
    """Return a file of the checkpoint that an epoch continues from, in a list; empty for the first epoch."""
    previous = schedule.previous_checkpoint_epoch(int(wildcards.epoch), config["training"]["epochs_per_checkpoint"])
    return [f"results/training/fold-{wildcards.fold}/epoch-{previous:04d}.{suffix}"] if previous else []


def previous_checkpoint(wildcards):
    """Return the checkpoint to continue from, as ancient: a corrupted one must not invalidate later, valid ones."""
    return [ancient(file) for file in previous_file(wildcards, "pt")]


def previous_done(wildcards):
    """Return the empty file that is written with the checkpoint to continue from, in a list.

    It is not ancient: if that checkpoint is trained again, so are those after it.
    """
    return previous_file(wildcards, "done")
