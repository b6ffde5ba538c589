"""Predictions on the original grid, and their scores.

Needs: models, normalised cases, raw masks. Makes: results/predictions/fold-{fold}/{case}.nii.gz and
results/evaluation/{cases.csv,summary.json}.
"""


rule predict:
    """Segment the cases that a fold holds out, on their original grid."""
    input:
        model=rules.select_checkpoint.output.model,
        normalised=normalised_batches,
        splits=rules.split.output,
        check=rules.check_cohort.output,
    output:
        directory("results/predictions/fold-{fold}"),
    log:
        "results/logs/predict/fold-{fold}.log",
    benchmark:
        "results/benchmarks/predict/fold-{fold}.tsv"
    conda:
        "../../envs/torch.yaml"
    threads: config["training"]["threads"]
    resources:
        mem_mb=16000,
        runtime=240,
        gpu=0 if config["training"]["device"] == "cpu" else 1,
    params:
        settings=settings(**only("training", "device", "precision", "threads", "deterministic")),
        code=code("predict"),
    shell:
        'python "$SCRIPTS/predict.py" --model {input.model:q} --normalised {input.normalised:q}'
        " --splits {input.splits:q} --check {input.check:q} --fold {wildcards.fold} --settings {params.settings:q}"
        " --output {output:q} --log {log:q}"


rule evaluate:
    """Score every prediction against the expert's mask as it was delivered."""
    input:
        predictions=expand(rules.predict.output, fold=FOLDS),
        verdicts=verdict_files,
        splits=rules.split.output,
        masks=raw_masks,
    output:
        scores="results/evaluation/cases.csv",
        summary="results/evaluation/summary.json",
    log:
        "results/logs/evaluate.log",
    benchmark:
        "results/benchmarks/evaluate.tsv"
    conda:
        "../../envs/light.yaml"
    resources:
        mem_mb=2000,
        runtime=120,
    params:
        settings=settings(**config["evaluation"]),
        code=code("evaluate"),
    shell:
        'python "$SCRIPTS/evaluate.py" --root "$COHORT" --verdicts {input.verdicts:q}'
        " --predictions {input.predictions:q} --splits {input.splits:q} --settings {params.settings:q}"
        " --scores {output.scores:q} --summary {output.summary:q} --log {log:q}"
