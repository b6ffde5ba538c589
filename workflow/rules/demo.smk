"""The demo cohort, made from the MNI152 anatomy that ships with nilearn.

Needs: nothing. Makes: a folder of cases with the names and labels of the task. Three of them are corrupted.
"""

from tumorseg.demo.plan import demo_facts, other_files

if config["demo"]:

    rule demo_cohort:
        """Make the demo cohort."""
        output:
            cases=sorted({ROOT / name for case in demo_cases() for name in case.files.values()}),
            others=[ROOT / name for name in other_files(TASK)],
        log:
            "results/logs/demo_cohort.log",
        benchmark:
            "results/benchmarks/demo_cohort.tsv"
        conda:
            "../../envs/light.yaml"
        resources:
            **scaled(mem_mb=2000, runtime=10),
        params:
            settings=settings(**config["demo"]),
            # Without colours and titles: changing one must not make the cohort again.
            task=lambda wildcards: json.dumps(demo_facts(TASK), sort_keys=True),
            code=code("demo_cohort"),
        shell:
            'python "$SCRIPTS/demo_cohort.py" --settings {params.settings:q} --task "$TASK" --root "$COHORT"'
            " --log {log:q}"
