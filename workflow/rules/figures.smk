"""Figures: a rule for each record of `tumorseg.plotting.registry`, and a small picture of every held-out case.

Needs: the cohort, normalised cases, the course of the training, predictions, scores. Makes: results/figures/*.png and
*.pdf, results/figures/cases/{case}.webp.
"""


include: "figures_input.smk"


for figure in RECORDS:

    rule:
        """Draw one figure, as PNG and PDF."""
        name:
            figure.rule
        input:
            **figure_input(figure),
        output:
            png=report(
                f"results/figures/{figure.stem}.png",
                **described("figure", figure.section.capitalize(), figure.title, "figure"),
            ),
            pdf=f"results/figures/{figure.stem}.pdf",
        log:
            f"results/logs/{figure.rule}.log",
        benchmark:
            f"results/benchmarks/{figure.rule}.tsv"
        conda:
            "../../envs/light.yaml"
        resources:
            **scaled(mem_mb=figure.megabytes, runtime=figure.minutes),
        params:
            name=figure.name,
            settings=settings(**only("figures", "dpi", *figure.settings)),
            task=task_json,
            files=figure_files(figure),
            caption=figure_caption(figure),
            code=code("figure", f"tumorseg/plotting/catalogue/{figure.name}"),
        # One text for all: Snakemake evaluates it when a job runs, and the loop has ended by then.
        shell:
            'python "$SCRIPTS/figure.py" --name {params.name} {params.files:q} --settings {params.settings:q}'
            ' --task "$TASK" --output {output:q} --log {log:q}'


FIGURES = [f"results/figures/{figure.stem}.png" for figure in WANTED]
FIGURE_FILES = [*FIGURES, *(f"results/figures/{figure.stem}.pdf" for figure in WANTED)]


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
        **scaled(mem_mb=2000, runtime=60),
    params:
        settings=settings(**only("figures", "colours")),
        task=task_json,
        code=code("case_strips"),
    shell:
        'python "$SCRIPTS/case_strips.py" --normalised {input.normalised:q} --predictions {input.predictions:q}'
        ' --scores {input.scores:q} --settings {params.settings:q} --task "$TASK" --output {output:q} --log {log:q}'
