"""Pictures: one rule a figure.

Needs: normalised cases, predictions, scores, the course of the training. Makes: results/figures/*.png and *.pdf.
"""


rule figure_modalities:
    """The four modalities of the shown cases, in slices through the tumour."""
    input:
        normalised=normalised_batches,
        scores=rules.evaluate.output.scores,
    output:
        png=report(
            "results/figures/modalities.png",
            caption="../report/modalities.rst",
            category="Cases",
            labels={"figure": "modalities"},
        ),
        pdf="results/figures/modalities.pdf",
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
        png=report(
            "results/figures/ground_truth.png",
            caption="../report/ground_truth.rst",
            category="Cases",
            labels={"figure": "ground truth"},
        ),
        pdf="results/figures/ground_truth.pdf",
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
        png=report(
            "results/figures/predictions.png",
            caption="../report/predictions.rst",
            category="Cases",
            labels={"figure": "predictions"},
        ),
        pdf="results/figures/predictions.pdf",
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
        png=report(
            "results/figures/overlays.png",
            caption="../report/overlays.rst",
            category="Cases",
            labels={"figure": "overlays"},
        ),
        pdf="results/figures/overlays.pdf",
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
