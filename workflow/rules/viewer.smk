"""The cases in the report's viewer.

Needs: normalised cases, predictions, scores. Makes: results/figures/viewer.json.
"""


rule viewer_cases:
    """Write the volumes of a few cases for the report's viewer, small enough for a page."""
    input:
        normalised=normalised_shards,
        predictions=expand(rules.predict.output.masks, fold=FOLDS),
        records=expand(rules.predict.output.record, fold=FOLDS),
        scores=rules.evaluate.output.scores,
        checked=require_viewer_cases,
    output:
        "results/figures/viewer.json",
    log:
        "results/logs/viewer_cases.log",
    benchmark:
        "results/benchmarks/viewer_cases.tsv"
    conda:
        "../../envs/light.yaml"
    resources:
        **scaled(mem_mb=3000, runtime=10),
    params:
        settings=settings(**select_keys("report", "viewer_cases")),
        task=task_json,
        code=code("viewer_cases"),
    shell:
        'python "$SCRIPTS/viewer_cases.py" --normalised {input.normalised:q} --predictions {input.predictions:q}'
        ' --scores {input.scores:q} --task "$TASK" --settings {params.settings:q} --output {output:q} --log {log:q}'


VIEWER = rules.viewer_cases.output if SETTINGS.report.viewer_cases else []
