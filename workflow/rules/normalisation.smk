"""The usable cases, as the network sees them.

Needs: raw files and verdicts. Makes: results/normalised/{batch}/{case}.safetensors.
"""


rule normalise_batch:
    """Crop the usable cases of a batch to the brain, clip and z-score their intensities."""
    input:
        verdicts=rules.validate_batch.output.verdicts,
    output:
        directory("results/normalised/{batch}"),
    log:
        "results/logs/normalise_batch/{batch}.log",
    cache: True
    conda:
        "../../envs/light.yaml"
    resources:
        # float32 with cohort.max_voxels as in config.yaml takes 2.6 GB, a case of BraTS 0.3
        **scaled(mem_mb=3000, runtime=60),
    params:
        cases=batch_cases,
        settings=settings(**RECORDED["normalisation"]),
        task=TASK_FACTS,
        code=code("normalise_batch"),
    shell:
        'python "$SCRIPTS/normalise_batch.py" --root "$COHORT" --verdicts {input.verdicts:q} --task "$TASK"'
        " --settings {params.settings:q} --output {output:q} --log {log:q}"
