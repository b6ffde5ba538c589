"""Figures: a rule for each record of `tumorseg.figures.registry`, and a small picture of every held-out case.

Needs: the cohort, normalised cases, the course of the training, predictions, scores. Makes: results/figures/*.png and
*.pdf, results/figures/cases/{case}.webp.
"""

from dataclasses import asdict

from tumorseg.figures.record import restructured
from tumorseg.figures.registry import FIGURES as RECORDS

# What figures can be drawn from; the keys are those of `tumorseg.figures.record.NEEDS`.
SOURCES = {
    "manifest": rules.manifest.output,
    "verdicts": verdict_files,
    "normalised": normalised_batches,
    "predictions": expand(rules.predict.output.masks, fold=FOLDS),
    "scores": rules.evaluate.output.scores,
    "summary": rules.evaluate.output.summary,
    "history": expand(rules.select_checkpoint.output.history, fold=FOLDS),
    "selection": expand(rules.select_checkpoint.output.selection, fold=FOLDS),
    "calibration": rules.calibration.output,
    "left_out": rules.leave_out_modalities.output,
}


def figure_input(figure):
    """The input of a figure's rule, by name; with predictions their records, which say what the masks are."""
    records = expand(rules.predict.output.record, fold=FOLDS) if "predictions" in figure.needs else []
    return {**{need: SOURCES[need] for need in figure.needs}, "records": records}


def figure_files(figure):
    """The options that name its input, for instance `--scores results/evaluation/cases.csv` for the need `scores`."""

    def options(wildcards, input):
        named = {need: input.get(need) for need in figure.needs}
        return [
            word
            for need, files in named.items()
            for word in (f"--{need}", *([files] if isinstance(files, str) else files))
        ]

    return options


def figure_caption(figure):
    """The caption for Snakemake's own report. As it asks for `input`, another caption draws nothing again."""
    return lambda wildcards, input: restructured(figure.explained(TASK).text)


for figure in RECORDS:

    rule:
        name:
            figure.rule
        input:
            **figure_input(figure),
        output:
            png=report(
                f"results/figures/{figure.stem}.png",
                caption="../report/figure.rst",
                category=figure.section.capitalize(),
                labels={"result": figure.title, "kind": "figure"},
            ),
            pdf=f"results/figures/{figure.stem}.pdf",
        log:
            f"results/logs/{figure.rule}.log",
        benchmark:
            f"results/benchmarks/{figure.rule}.tsv"
        conda:
            "../../envs/light.yaml"
        resources:
            mem_mb=scaled(figure.megabytes),
            runtime=scaled(figure.minutes),
        params:
            name=figure.name,
            settings=settings(**only("figures", "dpi", *figure.settings)),
            task=task_json,
            files=figure_files(figure),
            caption=figure_caption(figure),
            code=code("figure", f"tumorseg/figures/catalogue/{figure.name}"),
        # One text for all: Snakemake evaluates it when a job runs, and the loop has ended by then.
        shell:
            'python "$SCRIPTS/figure.py" --name {params.name} {params.files:q} --settings {params.settings:q}'
            ' --task "$TASK" --output {output:q} --log {log:q}'


def figure_captions(wildcards):
    """What the report says of the figures, a param of its own: the digest of its code leaves out words for people."""
    return json.dumps([asdict(figure.explained(TASK)) for figure in WANTED])


WANTED = [figure for figure in RECORDS if figure.asked_by is None or config["evaluation"][figure.asked_by]]
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
