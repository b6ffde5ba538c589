"""The report of the run.

Needs: manifest, splits, scores, training history, figures. Makes: results/report.html.
"""


rule report:
    """Write the report, a self-contained page: scores, dropped cases, refused checkpoints, figures."""
    input:
        manifest=rules.manifest.output,
        validation_results=validation_result_files,
        splits=rules.split.output,
        summary=rules.evaluate.output.summary,
        scores=rules.evaluate.output.scores,
        reliability=rules.reliability.output.summary,
        history=expand(rules.select_checkpoint.output.history, fold=FOLDS),
        selection=expand(rules.select_checkpoint.output.selection, fold=FOLDS),
        models=expand(rules.select_checkpoint.output.model, fold=FOLDS),
        predictions=expand(rules.predict.output.record, fold=FOLDS),
        figures=FIGURES,
        strips=rules.case_strips.output,
        viewer=VIEWER,
        challenge_2026=rules.challenge_2026.output if SETTINGS.evaluation.challenge_2026 else [],
        # The report links to it.
        cohort_page=ancient(rules.cohort_page.output),
    output:
        report("results/report.html", **report_entry("report", "Report", "report", "page")),
    log:
        "results/logs/report.log",
    benchmark:
        "results/benchmarks/report.tsv"
    conda:
        "../../envs/light.yaml"
    resources:
        **scaled(mem_mb=1000, runtime=10),
    params:
        configuration=settings(**CONFIGURATION),
        codes=CODES,
        task=task_json,
        captions=figure_captions,
        patient=lambda wildcards: [source] if (source := explicit_patient_source()) else [],
        code=code("report"),
    shell:
        'python "$SCRIPTS/report.py" --manifest {input.manifest:q} --validation-results {input.validation_results:q}'
        " --splits {input.splits:q} --summary {input.summary:q} --scores {input.scores:q}"
        " --reliability {input.reliability:q} --history {input.history:q}"
        " --selection {input.selection:q} --models {input.models:q} --predictions {input.predictions:q}"
        " --figures {input.figures:q} --strips {input.strips:q} --viewer {input.viewer:q}"
        ' --challenge-2026 {input.challenge_2026:q} --task "$TASK"'
        ' --patient {params.patient:q} --codes "$CODES" --configuration "$CONFIGURATION" --output {output:q}'
        " --log {log:q}"
