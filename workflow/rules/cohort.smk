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
    params:
        cases=batch_cases,
        settings=settings(**only("cohort", "labels", "shape")),
        code=code("validate_batch"),
    log:
        "results/logs/validate_batch/{batch}.log",
    cache: True
    resources:
        mem_mb=1000,
        runtime=60,
    conda:
        "../../envs/light.yaml"
    shell:
        "python {workflow.basedir:q}/scripts/validate_batch.py --root {config[cohort][root]:q}"
        " --cases {params.cases:q} --settings {params.settings:q} --output {output:q} --log {log:q}"


rule manifest:
    """Gather the verdicts: one row per case, with the reason where it is dropped."""
    input:
        verdicts=verdict_files,
    output:
        "results/cohort/manifest.tsv",
    params:
        code=code("manifest"),
    log:
        "results/logs/manifest.log",
    benchmark:
        "results/benchmarks/manifest.tsv"
    resources:
        mem_mb=1000,
        runtime=10,
    conda:
        "../../envs/light.yaml"
    shell:
        "python {workflow.basedir:q}/scripts/manifest.py --verdicts {input.verdicts:q} --output {output:q} --log {log:q}"


rule check_cohort:
    """Stop where the cohort as a whole cannot be used; the manifest remains."""
    input:
        manifest=rules.manifest.output,
    output:
        "results/cohort/check.json",
    params:
        settings=settings(**only("cohort", "labels", "expected_usable")),
        code=code("check_cohort"),
    log:
        "results/logs/check_cohort.log",
    benchmark:
        "results/benchmarks/check_cohort.tsv"
    resources:
        mem_mb=1000,
        runtime=10,
    conda:
        "../../envs/light.yaml"
    shell:
        "python {workflow.basedir:q}/scripts/check_cohort.py --manifest {input.manifest:q}"
        " --settings {params.settings:q} --output {output:q} --log {log:q}"


rule split:
    """Decide by patient which cases are held out, and in which fold."""
    input:
        manifest=rules.manifest.output,
        check=rules.check_cohort.output,
    output:
        "results/cohort/splits.tsv",
    params:
        settings=settings(**only("cohort", "folds", "validation_fraction", "seed")),
        code=code("split"),
    log:
        "results/logs/split.log",
    benchmark:
        "results/benchmarks/split.tsv"
    resources:
        mem_mb=1000,
        runtime=10,
    conda:
        "../../envs/light.yaml"
    shell:
        "python {workflow.basedir:q}/scripts/split.py --manifest {input.manifest:q} --settings {params.settings:q}"
        " --output {output:q} --log {log:q}"
