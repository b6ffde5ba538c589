"""What each figure is drawn from, and what is said about it."""

from dataclasses import asdict

from tumorseg.plotting.record import to_restructured_text
from tumorseg.plotting.registry import FIGURES as RECORDS

# What figures can be drawn from; the keys are those of `tumorseg.plotting.record.NEEDS`.
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
    return lambda wildcards, input: to_restructured_text(figure.caption_for(TASK).text)


WANTED = [figure for figure in RECORDS if figure.enabled_by is None or config["evaluation"][figure.enabled_by]]


def figure_captions(wildcards):
    """What the report says of the figures, a param of its own: the digest of its code leaves out words for people."""
    return json.dumps([asdict(figure.caption_for(TASK)) for figure in WANTED])
