"""Which cases are usable, and which of them are held out.

Needs: the folder of cases. Makes: a verdict on each case (results/cohort/verdicts), the manifest of all cases, a check
of the cohort as a whole, and the splits.
"""


rule validate_batch:
    """Read every file of a batch of cases to its last byte and give a verdict on each case."""
    input:
        raw_batch,
    output:
        "results/cohort/verdicts/{batch}.json",
    log:
        "results/logs/validate_batch/{batch}.log",
    cache: True
    conda:
        "../../envs/light.yaml"
    resources:
        mem_mb=1000,
        runtime=60,
    params:
        cases=batch_cases,
        settings=settings(**only("cohort", "labels", "shape")),
        code=code("validate_batch"),
    shell:
        'python "$SCRIPTS/validate_batch.py" --root "$COHORT"'
        " --cases {params.cases:q} --settings {params.settings:q} --output {output:q} --log {log:q}"


rule manifest:
    """Gather the verdicts: one row per case, with the reason where it is dropped."""
    input:
        verdicts=verdict_files,
    output:
        "results/cohort/manifest.tsv",
    log:
        "results/logs/manifest.log",
    benchmark:
        "results/benchmarks/manifest.tsv"
    conda:
        "../../envs/light.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code("manifest"),
    shell:
        'python "$SCRIPTS/manifest.py" --verdicts {input.verdicts:q} --output {output:q} --log {log:q}'


rule check_cohort:
    """Stop where the cohort as a whole cannot be used; the manifest remains."""
    input:
        manifest=rules.manifest.output,
    output:
        "results/cohort/check.json",
    log:
        "results/logs/check_cohort.log",
    benchmark:
        "results/benchmarks/check_cohort.tsv"
    conda:
        "../../envs/light.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        settings=settings(**only("cohort", "labels", "expected_usable")),
        code=code("check_cohort"),
    shell:
        'python "$SCRIPTS/check_cohort.py" --manifest {input.manifest:q}'
        " --settings {params.settings:q} --output {output:q} --log {log:q}"


rule split:
    """Decide by patient which cases are held out, and in which fold."""
    input:
        manifest=rules.manifest.output,
        check=rules.check_cohort.output,
    output:
        "results/cohort/splits.tsv",
    log:
        "results/logs/split.log",
    benchmark:
        "results/benchmarks/split.tsv"
    conda:
        "../../envs/light.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        settings=settings(**only("cohort", "folds", "validation_fraction", "seed")),
        code=code("split"),
    shell:
        'python "$SCRIPTS/split.py" --manifest {input.manifest:q} --settings {params.settings:q}'
        " --output {output:q} --log {log:q}"
