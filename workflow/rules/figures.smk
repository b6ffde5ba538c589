"""Pictures: one rule a figure.

Needs: normalised cases, predictions, scores. Makes: results/figures/*.png and *.pdf,
results/figures/cases/{case}.webp.
"""


rule figure_modalities:
    """The four modalities of the shown cases, in slices through the tumour."""
    input:
        normalised=normalised_batches,
        predictions=expand(rules.predict.output.masks, fold=FOLDS),
        records=expand(rules.predict.output.record, fold=FOLDS),
        scores=rules.evaluate.output.scores,
    output:
        png=report(
            "results/figures/modalities.png",
            caption="../report/modalities.rst",
            category="Cases",
            labels={"result": "modalities", "kind": "figure"},
        ),
        pdf="results/figures/modalities.pdf",
    log:
        "results/logs/figure_modalities.log",
    benchmark:
        "results/benchmarks/figure_modalities.tsv"
    conda:
        "../../envs/light.yaml"
    resources:
        mem_mb=scaled(2000),
        runtime=scaled(10),
    params:
        settings=settings(**only("figures", "cases", "dpi")),
        task=task_json,
        code=code("figure_modalities"),
    shell:
        'python "$SCRIPTS/figure_modalities.py" --normalised {input.normalised:q}'
        " --predictions {input.predictions:q} --scores {input.scores:q} --settings {params.settings:q}"
        ' --task "$TASK" --output {output:q} --log {log:q}'


rule figure_ground_truth:
    """The experts' masks over the image."""
    input:
        normalised=normalised_batches,
        predictions=expand(rules.predict.output.masks, fold=FOLDS),
        records=expand(rules.predict.output.record, fold=FOLDS),
        scores=rules.evaluate.output.scores,
    output:
        png=report(
            "results/figures/ground_truth.png",
            caption="../report/ground_truth.rst",
            category="Cases",
            labels={"result": "ground truth", "kind": "figure"},
        ),
        pdf="results/figures/ground_truth.pdf",
    log:
        "results/logs/figure_ground_truth.log",
    benchmark:
        "results/benchmarks/figure_ground_truth.tsv"
    conda:
        "../../envs/light.yaml"
    resources:
        mem_mb=scaled(2000),
        runtime=scaled(10),
    params:
        settings=settings(**config["figures"]),
        task=task_json,
        code=code("figure_ground_truth"),
    shell:
        'python "$SCRIPTS/figure_ground_truth.py" --normalised {input.normalised:q}'
        " --predictions {input.predictions:q} --scores {input.scores:q} --settings {params.settings:q}"
        ' --task "$TASK" --output {output:q} --log {log:q}'


rule figure_predictions:
    """The predicted masks over the image."""
    input:
        normalised=normalised_batches,
        predictions=expand(rules.predict.output.masks, fold=FOLDS),
        records=expand(rules.predict.output.record, fold=FOLDS),
        scores=rules.evaluate.output.scores,
    output:
        png=report(
            "results/figures/predictions.png",
            caption="../report/predictions.rst",
            category="Cases",
            labels={"result": "predictions", "kind": "figure"},
        ),
        pdf="results/figures/predictions.pdf",
    log:
        "results/logs/figure_predictions.log",
    benchmark:
        "results/benchmarks/figure_predictions.tsv"
    conda:
        "../../envs/light.yaml"
    resources:
        mem_mb=scaled(2000),
        runtime=scaled(10),
    params:
        settings=settings(**config["figures"]),
        task=task_json,
        code=code("figure_predictions"),
    shell:
        'python "$SCRIPTS/figure_predictions.py" --normalised {input.normalised:q}'
        " --predictions {input.predictions:q} --scores {input.scores:q} --settings {params.settings:q}"
        ' --task "$TASK" --output {output:q} --log {log:q}'


rule figure_overlays:
    """Where the predicted masks agree with the experts', in the same slices."""
    input:
        normalised=normalised_batches,
        predictions=expand(rules.predict.output.masks, fold=FOLDS),
        records=expand(rules.predict.output.record, fold=FOLDS),
        scores=rules.evaluate.output.scores,
    output:
        png=report(
            "results/figures/overlays.png",
            caption="../report/overlays.rst",
            category="Cases",
            labels={"result": "overlays", "kind": "figure"},
        ),
        pdf="results/figures/overlays.pdf",
    log:
        "results/logs/figure_overlays.log",
    benchmark:
        "results/benchmarks/figure_overlays.tsv"
    conda:
        "../../envs/light.yaml"
    resources:
        mem_mb=scaled(2000),
        runtime=scaled(10),
    params:
        settings=settings(**only("figures", "cases", "dpi")),
        task=task_json,
        code=code("figure_overlays"),
    shell:
        'python "$SCRIPTS/figure_overlays.py" --normalised {input.normalised:q}'
        " --predictions {input.predictions:q} --scores {input.scores:q} --settings {params.settings:q}"
        ' --task "$TASK" --output {output:q} --log {log:q}'


rule figure_gallery:
    """Images, masks, comparison and numbers of each shown case."""
    input:
        normalised=normalised_batches,
        predictions=expand(rules.predict.output.masks, fold=FOLDS),
        records=expand(rules.predict.output.record, fold=FOLDS),
        scores=rules.evaluate.output.scores,
    output:
        png=report(
            "results/figures/gallery.png",
            caption="../report/gallery.rst",
            category="Cases",
            labels={"result": "gallery", "kind": "figure"},
        ),
        pdf="results/figures/gallery.pdf",
    log:
        "results/logs/figure_gallery.log",
    benchmark:
        "results/benchmarks/figure_gallery.tsv"
    conda:
        "../../envs/light.yaml"
    resources:
        mem_mb=scaled(2000),
        runtime=scaled(10),
    params:
        settings=settings(**config["figures"]),
        task=task_json,
        code=code("figure_gallery"),
    shell:
        'python "$SCRIPTS/figure_gallery.py" --normalised {input.normalised:q}'
        " --predictions {input.predictions:q} --scores {input.scores:q} --settings {params.settings:q}"
        ' --task "$TASK" --output {output:q} --log {log:q}'


rule case_strips:
    """A small picture of every held-out case, for the rows of the report's table."""
    input:
        normalised=normalised_batches,
        predictions=expand(rules.predict.output.masks, fold=FOLDS),
        records=expand(rules.predict.output.record, fold=FOLDS),
        scores=rules.evaluate.output.scores,
        incomplete=incomplete_strips,
    output:
        directory("results/figures/cases"),
    log:
        "results/logs/case_strips.log",
    benchmark:
        "results/benchmarks/case_strips.tsv"
    conda:
        "../../envs/light.yaml"
    resources:
        mem_mb=scaled(2000),
        runtime=scaled(60),
    params:
        settings=settings(**only("figures", "colours")),
        task=task_json,
        code=code("case_strips"),
    shell:
        'python "$SCRIPTS/case_strips.py" --normalised {input.normalised:q}'
        " --predictions {input.predictions:q} --scores {input.scores:q} --settings {params.settings:q}"
        ' --task "$TASK" --output {output:q} --log {log:q}'
