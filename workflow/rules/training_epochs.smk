"""The epochs after which a checkpoint is saved, and the files of checkpoints."""

from tumorseg.training import schedule


def checkpoint_epochs():
    """The epochs, as written in file names, after which a checkpoint is saved."""
    training = config["training"]
    return [
        f"{epoch:04d}" for epoch in schedule.checkpoint_epochs(training["epochs"], training["epochs_per_checkpoint"])
    ]


def checkpoint_files(fold, suffix="pt"):
    """The checkpoints of a fold, or the files beside them of another suffix."""
    return expand(
        "results/training/fold-{fold}/epoch-{epoch}.{suffix}", fold=fold, epoch=checkpoint_epochs(), suffix=suffix
    )


def previous_file(wildcards, suffix):
    """The file of the checkpoint that a training goes on from; none for the first."""
    previous = schedule.previous_checkpoint_epoch(int(wildcards.epoch), config["training"]["epochs_per_checkpoint"])
    return [f"results/training/fold-{wildcards.fold}/epoch-{previous:04d}.{suffix}"] if previous else []


def previous_checkpoint(wildcards):
    """The checkpoint that a training goes on from. Ancient, so that a corrupted one invalidates none after it."""
    return [ancient(file) for file in previous_file(wildcards, "pt")]


def previous_done(wildcards):
    """The empty file beside that checkpoint. Not ancient: a training that runs again takes those after it along.

    An ancient file alone would not do this: in a job downstream of one that runs, Snakemake looks for no reasons.
    """
    return previous_file(wildcards, "done")
