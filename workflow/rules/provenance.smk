"""Record what is needed to repeat the run.

Needs: all results. Makes: results/provenance (configuration, task, versions, digests of raw files, run time and memory
of each job, commit and machine) and results/ro-crate-metadata.json, which makes results/ a Workflow Run RO-Crate.
"""

# The rules of this run. The folder of logs may also have logs of other targets, or of analyses that are now disabled.
RULES = [
    *(["demo_cohort"] if config["demo"] else []),
    *CHAIN,
    *["manifest", "cohort_page", "check_cohort", "case_strips", "model_card", "report"],
    *(["viewer_cases"] if VIEWER else []),
    *(figure.rule for figure in ENABLED_FIGURES),
]


rule provenance:
    """Write configuration, versions, digests, run times and machine beside the results."""
    input:
        validation_results=validation_result_files,
        selection=expand(rules.select_checkpoint.output.selection, fold=FOLDS),
        predictions=expand(rules.predict.output.masks, fold=FOLDS),
        results=[
            rules.report.output,
            rules.cohort_page.output,
            rules.manifest.output,
            rules.split.output,
            expand(rules.select_checkpoint.output, fold=FOLDS),
            rules.model_card.output,
            expand(rules.predict.output.masks, fold=FOLDS),
            rules.evaluate.output,
            rules.reliability.output,
        ],
    output:
        crate="results/ro-crate-metadata.json",
        files=expand(
            "results/provenance/{name}",
            name=[
                *["Snakefile", "configuration.yaml", "task.yaml", "requirements.txt", "raw_files.tsv"],
                *["masks.tsv", "jobs.tsv", "run.json"],
            ],
        ),
    log:
        "results/logs/provenance.log",
    benchmark:
        "results/benchmarks/provenance.tsv"
    conda:
        "../../envs/light.yaml"
    resources:
        **scaled(mem_mb=1000, runtime=10),
    params:
        configuration=settings(**CONFIGURATION),
        codes=CODES,
        rules=RULES,
        engine=version("snakemake"),
        task=task_json,
        code=code("provenance"),
    shell:
        'python "$SCRIPTS/provenance.py" --root results --validation-results {input.validation_results:q}'
        " --selection {input.selection:q}"
        ' --predictions {input.predictions:q} --results {input.results:q} --rules {params.rules:q} --codes "$CODES"'
        ' --configuration "$CONFIGURATION" --task "$TASK" --engine {params.engine:q} --output {output.crate:q}'
        " --log {log:q}"
