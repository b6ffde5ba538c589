"""The inputs and captions of the figures."""

from dataclasses import asdict

from tumorseg.plotting.figure_record import to_restructured_text
from tumorseg.plotting.figure_list import FIGURES as FIGURE_RECORDS

# Possible inputs of figures, by the names in `tumorseg.plotting.figure_record.NEEDS`.
SOURCES = {
    "manifest": rules.manifest.output,
    "validation_results": validation_result_files,
    "normalised": normalised_shards,
    "predictions": expand(rules.predict.output.masks, fold=FOLDS),
    "scores": rules.evaluate.output.scores,
    "lesions": rules.evaluate.output.lesions,
    "summary": rules.evaluate.output.summary,
    "history": expand(rules.select_checkpoint.output.history, fold=FOLDS),
    "selection": expand(rules.select_checkpoint.output.selection, fold=FOLDS),
    "reliability": rules.reliability.output.table,
    "calibration": rules.calibration.output,
    "channel_subsets": rules.leave_out_modalities.output.summary,
}


def figure_input(figure):
    """Return the named inputs of a figure's rule; predictions come with their records."""
    records = expand(rules.predict.output.record, fold=FOLDS) if "predictions" in figure.needs else []
    return {**{need: SOURCES[need] for need in figure.needs}, "records": records}


def figure_options(figure):
    """Return a param with the inputs of a figure as command-line options, such as `--scores FILE` for `scores`."""

    def options(wildcards, input):
        named = {need: input.get(need) for need in figure.needs}
        return [
            word
            for need, files in named.items()
            for word in (f"--{need.replace('_', '-')}", *([files] if isinstance(files, str) else files))
        ]

    return options


def figure_caption(figure):
    """Return a param with the caption for Snakemake's report; it uses `input`, so a new caption triggers no rerun."""
    return lambda wildcards, input: to_restructured_text(figure.caption_for(TASK).text)


ENABLED_FIGURES = [
    figure for figure in FIGURE_RECORDS if figure.enabled_by is None or config["evaluation"][figure.enabled_by]
]


def figure_captions(wildcards):
    """Return the captions as a param of `report`, since the digest of its code does not cover their texts."""
    return json.dumps([asdict(figure.caption_for(TASK)) for figure in ENABLED_FIGURES])
