"""The synthetic cases that a training mixes with real ones, in shards, each for one job."""

SYNTHETIC_SHARD = 25  # cases of a job
SYNTHETIC_CASES = config["training"]["synthetic_cases"] if config["training"]["synthetic_fraction"] else 0
SYNTHETIC_FOLDERS = expand(
    "results/synthetic/{batch}",
    batch=[f"batch-{number:03d}" for number in range(-(-SYNTHETIC_CASES // SYNTHETIC_SHARD))],
)


def first_synthetic_case(wildcards):
    """Return the number of the first synthetic case of a shard."""
    return int(wildcards.batch.removeprefix("batch-")) * SYNTHETIC_SHARD
