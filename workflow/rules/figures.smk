"""Figures: a rule for each record of `tumorseg.plotting.figure_list`, and a thumbnail of every held-out case.

Needs: manifest, normalised cases, training history, predictions, scores. Makes: results/figures/*.png and *.pdf,
results/figures/cases/{case}.webp.
"""


include: "figures_input.smk"


for figure in FIGURE_RECORDS:

    rule:
        """Draw a figure as PNG and PDF."""
        name:
            figure.rule
        input:
            **figure_input(figure),
        output:
            png=report(
                f"results/figures/{figure.stem}.png",
                **report_entry("figure", figure.section.capitalize(), figure.title, "figure"),
            ),
            pdf=f"results/figures/{figure.stem}.pdf",
        log:
            f"results/logs/{figure.rule}.log",
        benchmark:
            f"results/benchmarks/{figure.rule}.tsv"
        conda:
            "../../envs/light.yaml"
        resources:
            **scaled(mem_mb=figure.memory_mb, runtime=figure.time_limit_minutes),
        params:
            name=figure.name,
            settings=settings(**select_keys("figures", "dpi", *figure.settings)),
            task=task_json,
            files=figure_options(figure),
            caption=figure_caption(figure),
            code=code("figure", [f"tumorseg/plotting/catalogue/{figure.name}"]),
        # The same for all figures: Snakemake evaluates it when a job runs, after the end of the loop.
        shell:
            'python "$SCRIPTS/figure.py" --name {params.name} {params.files:q} --settings {params.settings:q}'
            ' --task "$TASK" --output {output:q} --log {log:q}'


FIGURES = [f"results/figures/{figure.stem}.png" for figure in ENABLED_FIGURES]
FIGURE_FILES = [*FIGURES, *(f"results/figures/{figure.stem}.pdf" for figure in ENABLED_FIGURES)]


rule case_strips:
    """Draw a thumbnail of every held-out case for the report's table."""
    input:
        normalised=normalised_shards,
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
        settings=settings(**select_keys("figures", "colours")),
        task=task_json,
        code=code("case_strips"),
    shell:
        'python "$SCRIPTS/case_strips.py" --normalised {input.normalised:q} --predictions {input.predictions:q}'
        ' --scores {input.scores:q} --settings {params.settings:q} --task "$TASK" --output {output:q} --log {log:q}'
