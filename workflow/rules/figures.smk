"""Pictures: one rule a figure.

Needs: normalised cases, predictions, scores, the course of the training. Makes: results/figures/*.png.
"""


rule figure_modalities:
    """The four modalities of the shown cases, in slices through the tumour."""
    input:
        normalised=normalised_batches,
        scores=rules.evaluate.output.scores,
    output:
        report("results/figures/modalities.png", caption="../report/modalities.rst", category="Cases"),
    log:
        "results/logs/figure_modalities.log",
    benchmark:
        "results/benchmarks/figure_modalities.tsv"
    conda:
        "../../envs/light.yaml"
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        settings=settings(**only("figures", "cases", "dpi")),
        code=code("figure_modalities"),
    shell:
        'python "$SCRIPTS/figure_modalities.py" --normalised {input.normalised:q}'
        " --scores {input.scores:q} --settings {params.settings:q} --output {output:q} --log {log:q}"


rule figure_ground_truth:
    """The experts' masks over the image."""
    input:
        normalised=normalised_batches,
        scores=rules.evaluate.output.scores,
    output:
        report("results/figures/ground_truth.png", caption="../report/ground_truth.rst", category="Cases"),
    log:
        "results/logs/figure_ground_truth.log",
    benchmark:
        "results/benchmarks/figure_ground_truth.tsv"
    conda:
        "../../envs/light.yaml"
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        settings=settings(**config["figures"]),
        code=code("figure_ground_truth"),
    shell:
        'python "$SCRIPTS/figure_ground_truth.py" --normalised {input.normalised:q}'
        " --scores {input.scores:q} --settings {params.settings:q} --output {output:q} --log {log:q}"


rule figure_predictions:
    """The predicted masks over the image."""
    input:
        normalised=normalised_batches,
        predictions=expand(rules.predict.output.masks, fold=FOLDS),
        scores=rules.evaluate.output.scores,
    output:
        report("results/figures/predictions.png", caption="../report/predictions.rst", category="Cases"),
    log:
        "results/logs/figure_predictions.log",
    benchmark:
        "results/benchmarks/figure_predictions.tsv"
    conda:
        "../../envs/light.yaml"
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        settings=settings(**config["figures"]),
        code=code("figure_predictions"),
    shell:
        'python "$SCRIPTS/figure_predictions.py" --normalised {input.normalised:q}'
        " --predictions {input.predictions:q} --scores {input.scores:q} --settings {params.settings:q}"
        " --output {output:q} --log {log:q}"


rule figure_overlays:
    """Image, reference, prediction and where they agree, side by side."""
    input:
        normalised=normalised_batches,
        predictions=expand(rules.predict.output.masks, fold=FOLDS),
        scores=rules.evaluate.output.scores,
    output:
        report("results/figures/overlays.png", caption="../report/overlays.rst", category="Cases"),
    log:
        "results/logs/figure_overlays.log",
    benchmark:
        "results/benchmarks/figure_overlays.tsv"
    conda:
        "../../envs/light.yaml"
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        settings=settings(**config["figures"]),
        code=code("figure_overlays"),
    shell:
        'python "$SCRIPTS/figure_overlays.py" --normalised {input.normalised:q}'
        " --predictions {input.predictions:q} --scores {input.scores:q} --settings {params.settings:q}"
        " --output {output:q} --log {log:q}"


rule figure_learning_curves:
    """Losses and held-out Dice by epoch, with the chosen epoch and the refused ones marked."""
    input:
        history=expand(rules.select_checkpoint.output.history, fold=FOLDS),
        selection=expand(rules.select_checkpoint.output.selection, fold=FOLDS),
    output:
        report("results/figures/learning_curves.png", caption="../report/learning_curves.rst", category="Training"),
    log:
        "results/logs/figure_learning_curves.log",
    benchmark:
        "results/benchmarks/figure_learning_curves.tsv"
    conda:
        "../../envs/light.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        settings=settings(**only("figures", "dpi")),
        code=code("figure_learning_curves"),
    shell:
        'python "$SCRIPTS/figure_learning_curves.py" --history {input.history:q}'
        " --selection {input.selection:q} --settings {params.settings:q} --output {output:q} --log {log:q}"


rule figure_scores:
    """The distribution of the scores, every case a point."""
    input:
        scores=rules.evaluate.output.scores,
    output:
        report(
            "results/figures/score_distributions.png", caption="../report/score_distributions.rst", category="Scores"
        ),
    log:
        "results/logs/figure_scores.log",
    benchmark:
        "results/benchmarks/figure_scores.tsv"
    conda:
        "../../envs/light.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        settings=settings(**only("figures", "dpi")),
        code=code("figure_scores"),
    shell:
        'python "$SCRIPTS/figure_scores.py" --scores {input.scores:q} --settings {params.settings:q}'
        " --output {output:q} --log {log:q}"


FIGURES = [
    *rules.figure_modalities.output,
    *rules.figure_ground_truth.output,
    *rules.figure_predictions.output,
    *rules.figure_overlays.output,
    *rules.figure_learning_curves.output,
    *rules.figure_scores.output,
    *(rules.figure_calibration.output if config["evaluation"]["calibration"] else ()),
    *(rules.figure_left_out.output if config["evaluation"]["leave_out_modalities"] else ()),
]
