"""Optional analyses, enabled in the section `evaluation`: calibration, scores with fewer modalities, scores as in 2026.

Needs: models, normalised cases, splits, predictions, raw masks. Makes: results/evaluation/{calibration.json,
channel_subsets.csv,channel_subsets_cases.csv,cases_2026.csv,summary_2026.json}, and
results/model/fold-{fold}.subsets.json.
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


rule challenge_2026:
    """Score every prediction as in BraTS 2025 and 2026."""
    input:
        predictions=expand(rules.predict.output.masks, fold=FOLDS),
        records=expand(rules.predict.output.record, fold=FOLDS),
        validation_results=validation_result_files,
        splits=rules.split.output,
    output:
        scores=report(
            "results/evaluation/cases_2026.csv",
            **report_entry("cases_2026", "Scores", "scores of each case, BraTS 2025 and 2026", "table"),
        ),
        summary=report(
            "results/evaluation/summary_2026.json",
            **report_entry("summary_2026", "Scores", "summary, BraTS 2025 and 2026", "JSON"),
        ),
    log:
        "results/logs/challenge_2026.log",
    benchmark:
        "results/benchmarks/challenge_2026.tsv"
    conda:
        "../../envs/light.yaml"
    threads: 4
    resources:
        **scaled(mem_mb=4000, runtime=120),
    params:
        settings=settings(**select_keys("evaluation", "confidence", "bootstrap_samples", "seed")),
        task=task_json,
        code=code("challenge_2026"),
    shell:
        'python "$SCRIPTS/challenge_2026.py" --root "$COHORT" --validation-results {input.validation_results:q}'
        ' --predictions {input.predictions:q} --splits {input.splits:q} --settings {params.settings:q} --task "$TASK"'
        " --processes {threads} --scores {output.scores:q} --summary {output.summary:q} --log {log:q}"


ANALYSES = [
    *(rules.calibration.output if SETTINGS.evaluation.calibration else []),
    *(rules.leave_out_modalities.output if SETTINGS.evaluation.leave_out_modalities else []),
    *(rules.challenge_2026.output if SETTINGS.evaluation.challenge_2026 else []),
]
