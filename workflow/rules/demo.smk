"""The embedded demo cohort, made from the MNI152 anatomy that ships with nilearn.

Needs: nothing. Makes: a folder of cases in the layout of BraTS 2023, three of them damaged.
"""

if config["demo"]:

    rule demo_cohort:
        """Make the demo cohort."""
        output:
            [ROOT / name for case in planned_cases(config["demo"]) for name in case.files.values()],
        log:
            "results/logs/demo_cohort.log",
        benchmark:
            "results/benchmarks/demo_cohort.tsv"
        conda:
            "../../envs/light.yaml"
        resources:
            mem_mb=scaled(2000),
            runtime=scaled(10),
        params:
            settings=settings(**config["demo"]),
            code=code("demo_cohort"),
        shell:
            'python "$SCRIPTS/demo_cohort.py" --settings {params.settings:q}' ' --root "$COHORT" --log {log:q}'
