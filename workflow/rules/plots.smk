"""Plots: the course of the training and the scores, one rule a figure.

Needs: the course of the training, scores. Makes: results/figures/*.png and *.pdf.
"""


rule figure_learning_curves:
    """Losses and held-out Dice by epoch, with the chosen epoch and the refused ones marked."""
    input:
        history=expand(rules.select_checkpoint.output.history, fold=FOLDS),
        selection=expand(rules.select_checkpoint.output.selection, fold=FOLDS),
    output:
        png=report(
            "results/figures/learning_curves.png",
            caption="../report/learning_curves.rst",
            category="Training",
            labels={"figure": "learning curves"},
        ),
        pdf="results/figures/learning_curves.pdf",
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
        png=report(
            "results/figures/score_distributions.png",
            caption="../report/score_distributions.rst",
            category="Scores",
            labels={"figure": "score distributions"},
        ),
        pdf="results/figures/score_distributions.pdf",
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
    rules.figure_modalities.output.png,
    rules.figure_ground_truth.output.png,
    rules.figure_predictions.output.png,
    rules.figure_overlays.output.png,
    rules.figure_learning_curves.output.png,
    rules.figure_scores.output.png,
    *([rules.figure_calibration.output.png] if config["evaluation"]["calibration"] else []),
    *([rules.figure_left_out.output.png] if config["evaluation"]["leave_out_modalities"] else []),
]
