"""Simulate the synthetic cases that a training mixes with real ones.

Without `training.synthetic_fraction` there are none; with `training.synthetic_cases: null` the training simulates them.

Makes: results/synthetic/{batch}/{case}.safetensors.
"""


include: "synthetic_cases.smk"


rule write_synthetic_cases:
    """Simulate the synthetic cases of a shard."""
    output:
        directory("results/synthetic/{batch}"),
    log:
        "results/logs/write_synthetic_cases/{batch}.log",
    benchmark:
        "results/benchmarks/write_synthetic_cases/{batch}.tsv"
    conda:
        "../../envs/light.yaml"
    resources:
        # Voxels of 1 mm need 1.8 GB, of 2 mm 0.6 GB.
        **scaled(mem_mb=3000, runtime=60),
    params:
        first=first_synthetic_case,
        cases=lambda wildcards: min(SYNTHETIC_SHARD, SYNTHETIC_CASES - first_synthetic_case(wildcards)),
        settings=settings(**config["normalisation"]),
        task=TASK_FACTS,
        code=code("write_synthetic_cases"),
    shell:
        'python "$SCRIPTS/write_synthetic_cases.py" --first {params.first} --cases {params.cases} --task "$TASK"'
        " --settings {params.settings:q} --output {output:q} --log {log:q}"
