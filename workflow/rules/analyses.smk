"""Optional analyses of the models, enabled in the section `evaluation`: calibration, and scores with fewer modalities.

Needs: models, normalised cases, splits. Makes: results/evaluation/calibration.json, channel_subsets.csv and
channel_subsets_cases.csv, and results/model/fold-{fold}.subsets.json.
"""


rule calibration:
    """Compare predicted probabilities with observed frequencies on the held-out cases."""
    input:
        models=expand(rules.select_checkpoint.output.model, fold=FOLDS),
        selections=expand(rules.select_checkpoint.output.selection, fold=FOLDS),
        data=expand(rules.training_data.output, fold=FOLDS),
        normalised=normalised_shards,
        splits=rules.split.output,
    output:
        report(
            "results/evaluation/calibration.json",
            **report_entry("calibration_bins", "Scores", "calibration by bin", "JSON"),
        ),
    log:
        "results/logs/calibration.log",
    benchmark:
        "results/benchmarks/calibration.tsv"
    conda:
        "../../envs/torch.yaml"
    threads: config["training"]["threads"]
    resources:
        **scaled(mem_mb=16000, runtime=480),
        gpu=GPUS,
    params:
        settings=settings(prediction=config["prediction"], execution=EXECUTION),
        task=TASK_FACTS,
        code=code("calibration"),
    shell:
        'python "$SCRIPTS/calibration.py" --models {input.models:q} --selections {input.selections:q}'
        ' --data {input.data:q} --normalised {input.normalised:q} --splits {input.splits:q} --task "$TASK"'
        " --settings {params.settings:q} --output {output:q} --log {log:q}"


rule leave_out_modalities:
    """Score the held-out cases with each subset of their modalities."""
    input:
        models=expand(rules.select_checkpoint.output.model, fold=FOLDS),
        selections=expand(rules.select_checkpoint.output.selection, fold=FOLDS),
        data=expand(rules.training_data.output, fold=FOLDS),
        normalised=normalised_shards,
        splits=rules.split.output,
    output:
        summary=report(
            "results/evaluation/channel_subsets.csv",
            **report_entry("channel_subsets", "Scores", "Dice with fewer modalities", "table"),
        ),
        cases="results/evaluation/channel_subsets_cases.csv",
        # Beside the models, for `segment`.
        scores=expand("results/model/fold-{fold}.subsets.json", fold=FOLDS),
    log:
        "results/logs/leave_out_modalities.log",
    benchmark:
        "results/benchmarks/leave_out_modalities.tsv"
    conda:
        "../../envs/torch.yaml"
    threads: config["training"]["threads"]
    resources:
        **scaled(mem_mb=16000, runtime=2880),
        gpu=GPUS,
    params:
        settings=settings(prediction=config["prediction"], execution=EXECUTION),
        task=TASK_FACTS,
        code=code("leave_out_modalities"),
    shell:
        'python "$SCRIPTS/leave_out_modalities.py" --models {input.models:q} --selections {input.selections:q}'
        ' --data {input.data:q} --normalised {input.normalised:q} --splits {input.splits:q} --task "$TASK"'
        " --settings {params.settings:q} --cases {output.cases:q} --summary {output.summary:q}"
        " --scores {output.scores:q} --log {log:q}"


ANALYSES = [
    *(rules.calibration.output if SETTINGS.evaluation.calibration else []),
    *(rules.leave_out_modalities.output if SETTINGS.evaluation.leave_out_modalities else []),
]
