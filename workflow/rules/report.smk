"""The one page that shows what was run and what came of it.

Needs: manifest, splits, scores, the course of the training, figures. Makes: results/report.html.
"""


rule report:
    """One self-contained page: numbers, dropped cases, refused checkpoints, figures."""
    input:
        manifest=rules.manifest.output,
        splits=rules.split.output,
        summary=rules.evaluate.output.summary,
        scores=rules.evaluate.output.scores,
        history=expand(rules.select_checkpoint.output.history, fold=FOLDS),
        selection=expand(rules.select_checkpoint.output.selection, fold=FOLDS),
        predictions=expand(rules.predict.output.record, fold=FOLDS),
        figures=FIGURES,
    output:
        "results/report.html",
    log:
        "results/logs/report.log",
    benchmark:
        "results/benchmarks/report.tsv"
    conda:
        "../../envs/light.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        configuration=settings(
            **{section: content for section, content in config.items() if section not in ("segment", "score")}
        ),
        code=code("report"),
    shell:
        'python "$SCRIPTS/report.py" --manifest {input.manifest:q} --splits {input.splits:q}'
        " --summary {input.summary:q} --scores {input.scores:q} --history {input.history:q}"
        " --selection {input.selection:q} --predictions {input.predictions:q} --figures {input.figures:q} --configuration {params.configuration:q}"
        " --output {output:q} --log {log:q}"
