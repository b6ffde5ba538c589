"""Plots: the cohort, the course of the training and the scores, one rule a figure.

Needs: manifest, verdicts, normalised cases, the course of the training, scores. Makes: results/figures/*.png and *.pdf.
"""


rule figure_cohort_overview:
    """Kept and dropped cases by reason, and the tumour volumes of the kept ones."""
    input:
        manifest=rules.manifest.output,
        verdicts=verdict_files,
    output:
        png=report(
            "results/figures/cohort_overview.png",
            caption="../report/cohort_overview.rst",
            category="Cohort",
            labels={"result": "cohort overview", "kind": "figure"},
        ),
        pdf="results/figures/cohort_overview.pdf",
    log:
        "results/logs/figure_cohort_overview.log",
    benchmark:
        "results/benchmarks/figure_cohort_overview.tsv"
    conda:
        "../../envs/light.yaml"
    resources:
        mem_mb=scaled(1000),
        runtime=scaled(10),
    params:
        settings=settings(**only("figures", "dpi", "colours")),
        task=task_json,
        code=code("figure_cohort_overview"),
    shell:
        'python "$SCRIPTS/figure_cohort_overview.py" --manifest {input.manifest:q} --verdicts {input.verdicts:q}'
        ' --task "$TASK" --settings {params.settings:q} --output {output:q} --log {log:q}'


rule figure_intensities:
    """Intensities of every case before and after normalisation."""
    input:
        manifest=rules.manifest.output,
        verdicts=verdict_files,
        normalised=normalised_batches,
    output:
        png=report(
            "results/figures/intensities.png",
            caption="../report/intensities.rst",
            category="Cohort",
            labels={"result": "intensities", "kind": "figure"},
        ),
        pdf="results/figures/intensities.pdf",
    log:
        "results/logs/figure_intensities.log",
    benchmark:
        "results/benchmarks/figure_intensities.tsv"
    conda:
        "../../envs/light.yaml"
    resources:
        mem_mb=scaled(1000),
        runtime=scaled(60),
    params:
        settings=settings(**only("figures", "dpi")),
        task=task_json,
        code=code("figure_intensities"),
    shell:
        'python "$SCRIPTS/figure_intensities.py" --manifest {input.manifest:q} --verdicts {input.verdicts:q}'
        ' --normalised {input.normalised:q} --task "$TASK" --settings {params.settings:q} --output {output:q} --log {log:q}'


rule figure_learning_curves:
    """Losses, held-out Dice, learning rate and skipped steps by epoch; the chosen and the refused ones are marked."""
    input:
        history=expand(rules.select_checkpoint.output.history, fold=FOLDS),
        selection=expand(rules.select_checkpoint.output.selection, fold=FOLDS),
    output:
        png=report(
            "results/figures/learning_curves.png",
            caption="../report/learning_curves.rst",
            category="Training",
            labels={"result": "learning curves", "kind": "figure"},
        ),
        pdf="results/figures/learning_curves.pdf",
    log:
        "results/logs/figure_learning_curves.log",
    benchmark:
        "results/benchmarks/figure_learning_curves.tsv"
    conda:
        "../../envs/light.yaml"
    resources:
        mem_mb=scaled(1000),
        runtime=scaled(10),
    params:
        settings=settings(**only("figures", "dpi")),
        task=task_json,
        code=code("figure_learning_curves"),
    shell:
        'python "$SCRIPTS/figure_learning_curves.py" --history {input.history:q}'
        ' --selection {input.selection:q} --task "$TASK" --settings {params.settings:q} --output {output:q} --log {log:q}'


rule figure_scores:
    """The distribution of the scores, every case a point."""
    input:
        scores=rules.evaluate.output.scores,
    output:
        png=report(
            "results/figures/score_distributions.png",
            caption="../report/score_distributions.rst",
            category="Scores",
            labels={"result": "score distributions", "kind": "figure"},
        ),
        pdf="results/figures/score_distributions.pdf",
    log:
        "results/logs/figure_scores.log",
    benchmark:
        "results/benchmarks/figure_scores.tsv"
    conda:
        "../../envs/light.yaml"
    resources:
        mem_mb=scaled(1000),
        runtime=scaled(10),
    params:
        settings=settings(**only("figures", "dpi")),
        task=task_json,
        code=code("figure_scores"),
    shell:
        'python "$SCRIPTS/figure_scores.py" --scores {input.scores:q} --settings {params.settings:q}'
        ' --task "$TASK" --output {output:q} --log {log:q}'


rule figure_dice_by_volume:
    """Dice against tumour volume, every case a point."""
    input:
        scores=rules.evaluate.output.scores,
    output:
        png=report(
            "results/figures/dice_by_volume.png",
            caption="../report/dice_by_volume.rst",
            category="Scores",
            labels={"result": "Dice by volume", "kind": "figure"},
        ),
        pdf="results/figures/dice_by_volume.pdf",
    log:
        "results/logs/figure_dice_by_volume.log",
    benchmark:
        "results/benchmarks/figure_dice_by_volume.tsv"
    conda:
        "../../envs/light.yaml"
    resources:
        mem_mb=scaled(1000),
        runtime=scaled(10),
    params:
        settings=settings(**only("figures", "dpi")),
        task=task_json,
        code=code("figure_dice_by_volume"),
    shell:
        'python "$SCRIPTS/figure_dice_by_volume.py" --scores {input.scores:q} --settings {params.settings:q}'
        ' --task "$TASK" --output {output:q} --log {log:q}'


rule figure_confusion_matrix:
    """What the voxels of each label were taken for."""
    input:
        summary=rules.evaluate.output.summary,
    output:
        png=report(
            "results/figures/confusion_matrix.png",
            caption="../report/confusion_matrix.rst",
            category="Scores",
            labels={"result": "confusion matrix", "kind": "figure"},
        ),
        pdf="results/figures/confusion_matrix.pdf",
    log:
        "results/logs/figure_confusion_matrix.log",
    benchmark:
        "results/benchmarks/figure_confusion_matrix.tsv"
    conda:
        "../../envs/light.yaml"
    resources:
        mem_mb=scaled(1000),
        runtime=scaled(10),
    params:
        settings=settings(**only("figures", "dpi")),
        task=task_json,
        code=code("figure_confusion_matrix"),
    shell:
        'python "$SCRIPTS/figure_confusion_matrix.py" --summary {input.summary:q} --settings {params.settings:q}'
        ' --task "$TASK" --output {output:q} --log {log:q}'


FIGURE_RULES = [
    "figure_cohort_overview",
    "figure_intensities",
    "figure_modalities",
    "figure_ground_truth",
    "figure_predictions",
    "figure_overlays",
    "figure_gallery",
    "figure_learning_curves",
    "figure_scores",
    "figure_dice_by_volume",
    "figure_confusion_matrix",
    *(["figure_calibration"] if config["evaluation"]["calibration"] else []),
    *(["figure_left_out"] if config["evaluation"]["leave_out_modalities"] else []),
]
FIGURES = [getattr(rules, name).output.png for name in FIGURE_RULES]
FIGURE_FILES = [getattr(rules, name).output for name in FIGURE_RULES]
