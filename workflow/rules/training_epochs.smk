"""The epochs after which a checkpoint is saved, and the files of checkpoints."""

from tumorseg.training import epochs


def checkpoint_epochs():
    """The epochs, as written in file names, after which a checkpoint is saved."""
    training = config["training"]
    return [f"{epoch:04d}" for epoch in epochs.checkpoint_epochs(training["epochs"], training["epochs_per_checkpoint"])]


def checkpoint_files(fold, suffix="pt"):
    """The checkpoints of a fold, or the files beside them of another suffix."""
    return expand(
        "results/training/fold-{fold}/epoch-{epoch}.{suffix}", fold=fold, epoch=checkpoint_epochs(), suffix=suffix
    )


def previous_file(wildcards, suffix):
    """The file of the checkpoint that a training goes on from; none for the first."""
    previous = epochs.previous_epoch(int(wildcards.epoch), config["training"]["epochs_per_checkpoint"])
    return [f"results/training/fold-{wildcards.fold}/epoch-{previous:04d}.{suffix}"] if previous else []


def previous_checkpoint(wildcards):
    """Ancient: a checkpoint that rots makes nobody delete the sound ones after it."""
    return [ancient(file) for file in previous_file(wildcards, "pt")]


def previous_done(wildcards):
    """Not ancient, and empty, so that it cannot rot: a training that is done again takes those after it along.

    (By ancient files alone it would not: in a job downstream of one that has to run, Snakemake looks for no reasons.)
    """
    return previous_file(wildcards, "done")
