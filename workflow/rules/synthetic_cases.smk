"""The synthetic cases that a training mixes with real ones: written in shards, each by one job, or simulated by it."""

SYNTHETIC_SHARD = 25  # cases of a job
SYNTHETIC_CASES = (config["training"]["synthetic_cases"] or 0) if config["training"]["synthetic_fraction"] else 0
SYNTHETIC_FOLDERS = expand(
    "results/synthetic/{batch}",
    batch=[f"batch-{number:03d}" for number in range(-(-SYNTHETIC_CASES // SYNTHETIC_SHARD))],
)


def simulated_cases(wildcards):
    """Return what decides the cases that the training itself simulates, as JSON; null if it simulates none."""
    training = config["training"]
    if not training["synthetic_fraction"] or training["synthetic_cases"] is not None:
        return json.dumps(None)
    # The training runs the file of this module, so it is not in the digest of the training's code.
    content = {"settings": config["normalisation"], "code": code("tumorseg/synthetic/simulator")}
    return json.dumps(content, sort_keys=True)


def first_synthetic_case(wildcards):
    """Return the number of the first synthetic case of a shard."""
    return int(wildcards.batch.removeprefix("batch-")) * SYNTHETIC_SHARD
