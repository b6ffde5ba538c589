"""Normalise the usable cases for the network, and resample them if it has a voxel size of its own.

Needs: raw files and validation results. Makes: results/normalised/{batch}/{case}.safetensors.
"""


rule normalise_batch:
    """Crop the usable cases of a shard to the brain, clip and z-score intensities; resample if configured."""
    input:
        validation_results=rules.validate_batch.output.validation_results,
    output:
        directory("results/normalised/{batch}"),
    log:
        "results/logs/normalise_batch/{batch}.log",
    cache: True
    conda:
        "../../envs/light.yaml"
    resources:
        # float32 images of the default cohort.max_voxels need 2.6 GiB, resampled to as many voxels 3.8 GiB
        **scaled(mem_mb=4500, runtime=60),
    params:
        cases=shard_cases,
        settings=settings(**config["normalisation"]),
        task=TASK_FACTS,
        code=code("normalise_batch"),
    shell:
        'python "$SCRIPTS/normalise_batch.py" --root "$COHORT" --validation-results {input.validation_results:q}'
        ' --task "$TASK" --settings {params.settings:q} --output {output:q} --log {log:q}'
