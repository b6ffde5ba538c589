"""Predictions on the original grid, their scores, and how well these could be expected without the references.

Needs: models, normalised cases, raw masks. Makes: results/predictions/fold-{fold}/{case}.nii.gz, fold-{fold}.json (how
each mask was predicted), results/evaluation/{cases.csv,summary.json,lesions.csv,reliability.csv,reliability.json} and
results/model/fold-{fold}.reliability.json.
"""

EXECUTION = select_keys("training", "device", "precision", "threads", "deterministic")


rule predict:
    """Segment the held-out cases of a fold on their original grid."""
    input:
        model=rules.select_checkpoint.output.model,
        selection=rules.select_checkpoint.output.selection,
        normalised=normalised_shards,
        data=rules.training_data.output,
        splits=rules.split.output,
        incomplete=incomplete_predictions,
    output:
        masks=directory("results/predictions/fold-{fold}"),
        record="results/predictions/fold-{fold}.json",
    log:
        "results/logs/predict/fold-{fold}.log",
    benchmark:
        "results/benchmarks/predict/fold-{fold}.tsv"
    conda:
        "../../envs/torch.yaml"
    threads: config["training"]["threads"]
    resources:
        **scaled(mem_mb=16000, runtime=240),
        gpu=GPUS,
    params:
        settings=settings(prediction=config["prediction"], execution=EXECUTION),
        task=TASK_FACTS,
        code=code("predict"),
    shell:
        'python "$SCRIPTS/predict.py" --model {input.model:q} --selection {input.selection:q}'
        " --normalised {input.normalised:q} --data {input.data:q} --splits {input.splits:q} --fold {wildcards.fold}"
        ' --task "$TASK" --settings {params.settings:q} --output {output.masks:q} --record {output.record:q}'
        " --log {log:q}"


rule evaluate:
    """Score every prediction against the reference mask on the original grid."""
    input:
        predictions=expand(rules.predict.output.masks, fold=FOLDS),
        records=expand(rules.predict.output.record, fold=FOLDS),
        validation_results=validation_result_files,
        splits=rules.split.output,
    output:
        scores=report("results/evaluation/cases.csv", **report_entry("cases", "Scores", "scores of each case", "table")),
        summary=report(
            "results/evaluation/summary.json", **report_entry("summary", "Scores", "summary with definitions", "JSON")
        ),
        lesions=report(
            "results/evaluation/lesions.csv", **report_entry("lesions", "Scores", "lesions of each case", "table")
        ),
    log:
        "results/logs/evaluate.log",
    benchmark:
        "results/benchmarks/evaluate.tsv"
    conda:
        "../../envs/light.yaml"
    threads: 4
    resources:
        **scaled(mem_mb=4000, runtime=120),
    params:
        settings=settings(
            **select_keys("evaluation", "surface_tolerance_mm", "confidence", "bootstrap_samples", "seed")
        ),
        task=task_json,
        code=code("evaluate"),
    shell:
        'python "$SCRIPTS/evaluate.py" --root "$COHORT" --validation-results {input.validation_results:q}'
        ' --predictions {input.predictions:q} --splits {input.splits:q} --settings {params.settings:q} --task "$TASK"'
        " --processes {threads} --scores {output.scores:q} --summary {output.summary:q} --lesions {output.lesions:q}"
        " --log {log:q}"


rule reliability:
    """Compare what the models say about their masks with the scores: expected Dice and intervals of volumes."""
    input:
        records=expand(rules.predict.output.record, fold=FOLDS),
        scores=rules.evaluate.output.scores,
        splits=rules.split.output,
    output:
        table=report(
            "results/evaluation/reliability.csv",
            **report_entry("reliability", "Scores", "expected and true Dice and volumes", "table"),
        ),
        summary="results/evaluation/reliability.json",
        # Beside the models, for `segment`.
        held_out=expand("results/model/fold-{fold}.reliability.json", fold=FOLDS),
    log:
        "results/logs/reliability.log",
    benchmark:
        "results/benchmarks/reliability.tsv"
    conda:
        "../../envs/light.yaml"
    resources:
        **scaled(mem_mb=1000, runtime=30),
    params:
        task=TASK_FACTS,
        code=code("reliability"),
    shell:
        'python "$SCRIPTS/reliability.py" --records {input.records:q} --scores {input.scores:q}'
        ' --splits {input.splits:q} --task "$TASK" --table {output.table:q} --summary {output.summary:q}'
        " --held-out {output.held_out:q} --log {log:q}"
