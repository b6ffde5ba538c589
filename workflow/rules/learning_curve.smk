"""The target `learning_curve`: Dice by the number of training cases, with and without the start model.

Needs: normalised and synthetic cases, validation results, splits, raw masks. Makes: results/learning_curve. It trains
on subsets of each fold's training cases, with a job for all epochs of a training, and changes no other results.
"""


rule learning_curve_subsets:
    """List the order in which the trainings of the learning curve take the cases."""
    input:
        rules.split.output,
    output:
        "results/learning_curve/subsets.tsv",
    log:
        "results/logs/learning_curve_subsets.log",
    benchmark:
        "results/benchmarks/learning_curve_subsets.tsv"
    conda:
        "../../envs/light.yaml"
    resources:
        **scaled(mem_mb=1000, runtime=10),
    params:
        folds=len(FOLDS),
        seeds=config["learning_curve"]["seeds"],
        sizes=config["learning_curve"]["cases"],
        code=code("learning_curve_subsets"),
    shell:
        'python "$SCRIPTS/learning_curve_subsets.py" --splits {input:q} --folds {params.folds} --seeds {params.seeds}'
        " --sizes {params.sizes} --output {output:q} --log {log:q}"


rule learning_curve_training:
    """Train on a subset of the training cases, verify the last checkpoint, and export the model."""
    input:
        normalised=normalised_shards,
        synthetic=SYNTHETIC_FOLDERS,
        data=rules.training_data.output,
        splits=rules.split.output,
        check=rules.check_cohort.output,
        validation_results=validation_result_files,
    output:
        checkpoint=temp("results/learning_curve/{start}/cases-{cases}/seed-{seed}/training/fold-{fold}.pt"),
        checkpoint_record=temp("results/learning_curve/{start}/cases-{cases}/seed-{seed}/training/fold-{fold}.json"),
        history="results/learning_curve/{start}/cases-{cases}/seed-{seed}/training/fold-{fold}.csv",
        model="results/learning_curve/{start}/cases-{cases}/seed-{seed}/model/fold-{fold}.safetensors",
        record="results/learning_curve/{start}/cases-{cases}/seed-{seed}/model/fold-{fold}.json",
    log:
        "results/logs/learning_curve_training/{start}-cases-{cases}-seed-{seed}-fold-{fold}.log",
    benchmark:
        "results/benchmarks/learning_curve_training/{start}-cases-{cases}-seed-{seed}-fold-{fold}.tsv"
    wildcard_constraints:
        cases=r"[1-9]\d*",
    conda:
        "../../envs/torch.yaml"
    threads: config["training"]["threads"]
    resources:
        **scaled(mem_mb=24000, runtime=720),
        gpu=GPUS,
    params:
        epochs=CURVE_EPOCHS,
        recipe=curve_recipe,
        settings=settings(
            normalisation=config["normalisation"],
            demo=bool(config["demo"]),
            input_shape=config["training"]["input_shape"],
        ),
        task=task_json,
        code=code("learning_curve_training"),
    shell:
        'python "$SCRIPTS/learning_curve_training.py" --normalised {input.normalised:q} --synthetic {input.synthetic:q}'
        " --data {input.data:q} --splits {input.splits:q} --check {input.check:q}"
        " --validation-results {input.validation_results:q} --fold {wildcards.fold} --start {wildcards.start}"
        " --cases {wildcards.cases} --seed {wildcards.seed} --epochs {params.epochs} --recipe {params.recipe:q}"
        ' --settings {params.settings:q} --start-from "$START_FROM" --task "$TASK" --plan "$CURVE_PLAN"'
        " --checkpoint {output.checkpoint:q} --history {output.history:q} --model {output.model:q}"
        " --record {output.record:q} --log {log:q}"


rule learning_curve_start_model:
    """Take the start model as it is, as the model without training cases; refuse it if it knows held-out cases."""
    input:
        normalised=normalised_shards,
        data=rules.training_data.output,
    output:
        model="results/learning_curve/model/cases-0/seed-0/model/fold-{fold}.safetensors",
        record="results/learning_curve/model/cases-0/seed-0/model/fold-{fold}.json",
    log:
        "results/logs/learning_curve_start_model/fold-{fold}.log",
    benchmark:
        "results/benchmarks/learning_curve_start_model/fold-{fold}.tsv"
    conda:
        "../../envs/torch.yaml"
    resources:
        **scaled(mem_mb=4000, runtime=10),
    params:
        network=settings(**config["model"]),
        start_from=lambda wildcards: start_model_digest(),
        task=TASK_FACTS,
        code=code("learning_curve_start_model"),
    shell:
        'python "$SCRIPTS/learning_curve_start_model.py" --normalised {input.normalised:q} --data {input.data:q}'
        ' --fold {wildcards.fold} --network {params.network:q} --start-from "$START_FROM"'
        ' --digest {params.start_from} --task "$TASK" --plan "$CURVE_PLAN" --model {output.model:q}'
        " --record {output.record:q} --log {log:q}"


rule learning_curve_prediction:
    """Segment the held-out cases of a fold with a model of the learning curve."""
    input:
        model="results/learning_curve/{start}/cases-{cases}/seed-{seed}/model/fold-{fold}.safetensors",
        training="results/learning_curve/{start}/cases-{cases}/seed-{seed}/model/fold-{fold}.json",
        normalised=normalised_shards,
        data=rules.training_data.output,
        splits=rules.split.output,
    output:
        masks=directory("results/learning_curve/{start}/cases-{cases}/seed-{seed}/predictions/fold-{fold}"),
        record="results/learning_curve/{start}/cases-{cases}/seed-{seed}/predictions/fold-{fold}.json",
    log:
        "results/logs/learning_curve_prediction/{start}-cases-{cases}-seed-{seed}-fold-{fold}.log",
    benchmark:
        "results/benchmarks/learning_curve_prediction/{start}-cases-{cases}-seed-{seed}-fold-{fold}.tsv"
    conda:
        "../../envs/torch.yaml"
    threads: config["training"]["threads"]
    resources:
        **scaled(mem_mb=16000, runtime=240),
        gpu=GPUS,
    params:
        settings=settings(prediction={**config["prediction"], "probabilities": False}, execution=EXECUTION),
        code=code("learning_curve_prediction"),
    shell:
        'python "$SCRIPTS/learning_curve_prediction.py" --model {input.model:q} --training {input.training:q}'
        " --normalised {input.normalised:q} --data {input.data:q} --splits {input.splits:q} --fold {wildcards.fold}"
        " --settings {params.settings:q} --output {output.masks:q} --record {output.record:q} --log {log:q}"


rule learning_curve_scores:
    """Score the predictions of a point of the learning curve, as the rule evaluate scores those of the folds."""
    input:
        predictions=expand(rules.learning_curve_prediction.output.masks, fold=FOLDS, allow_missing=True),
        records=expand(rules.learning_curve_prediction.output.record, fold=FOLDS, allow_missing=True),
        validation_results=validation_result_files,
        splits=rules.split.output,
    output:
        scores="results/learning_curve/{start}/cases-{cases}/seed-{seed}/cases.csv",
        summary="results/learning_curve/{start}/cases-{cases}/seed-{seed}/summary.json",
    log:
        "results/logs/learning_curve_scores/{start}-cases-{cases}-seed-{seed}.log",
    benchmark:
        "results/benchmarks/learning_curve_scores/{start}-cases-{cases}-seed-{seed}.tsv"
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
        " --processes {threads} --scores {output.scores:q} --summary {output.summary:q} --log {log:q}"


rule learning_curve_table:
    """Collect the scores of the learning curve, and summarise them with the spread over the seeds."""
    input:
        curve_files("cases.csv"),
    output:
        cases="results/learning_curve/cases.csv",
        summary=report(
            "results/learning_curve/summary.csv",
            **report_entry("learning_curve", "Learning curve", "Dice by number of training cases", "table"),
        ),
    log:
        "results/logs/learning_curve_table.log",
    benchmark:
        "results/benchmarks/learning_curve_table.tsv"
    conda:
        "../../envs/light.yaml"
    resources:
        **scaled(mem_mb=1000, runtime=10),
    params:
        points=lambda wildcards: json.dumps([asdict(point) for point in CURVE_POINTS]),
        task=task_json,
        code=code("learning_curve_table"),
    shell:
        'python "$SCRIPTS/learning_curve_table.py" --scores {input:q} --points {params.points:q} --task "$TASK"'
        " --cases {output.cases:q} --summary {output.summary:q} --log {log:q}"


rule figure_dice_by_training_cases:
    """Draw the Dice of each region against the number of training cases, as PNG and PDF."""
    input:
        rules.learning_curve_table.output.cases,
    output:
        png=report(
            "results/learning_curve/dice_by_training_cases.png",
            **report_entry("figure", "Learning curve", CURVE_FIGURE.title, "figure"),
        ),
        pdf="results/learning_curve/dice_by_training_cases.pdf",
    log:
        "results/logs/figure_dice_by_training_cases.log",
    benchmark:
        "results/benchmarks/figure_dice_by_training_cases.tsv"
    conda:
        "../../envs/light.yaml"
    resources:
        **scaled(mem_mb=1000, runtime=10),
    params:
        settings=settings(**select_keys("figures", "dpi")),
        task=task_json,
        caption=figure_caption(CURVE_FIGURE),
        code=code("figure", ["tumorseg/plotting/catalogue/dice_by_training_cases"]),
    shell:
        'python "$SCRIPTS/figure.py" --name dice_by_training_cases --learning-curve {input:q}'
        ' --settings {params.settings:q} --task "$TASK" --output {output:q} --log {log:q}'
