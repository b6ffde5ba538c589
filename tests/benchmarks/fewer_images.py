"""Dice on held-out real cases with each subset of the images, trained with and without channel dropout.

    PYTHONPATH=scripts python -m tests.benchmarks.fewer_images run FOLDER SCORES.csv
    PYTHONPATH=scripts python -m tests.benchmarks.fewer_images table SCORES.csv
    PYTHONPATH=scripts python -m tests.benchmarks.fewer_images figure SCORES.csv FIGURE.png

`run` trains with the recipe for minutes in three folds of the real cases at 2 mm, in the folder that
TUMORSEG_LEARNING_DATA names, for each seed without and with channel dropout. Each of these trainings, with its scores,
takes 20 to 25 minutes on two cores without bf16. A run that was interrupted goes on if it has the same FOLDER.
"""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.figure import Figure

from tests.benchmarks.study.table import DICE, markdown, paired_difference
from tests.support.builders import REPOSITORY, TASK
from tests.support.case_files import require_learning_data
from tumorseg.errors import UserError
from tumorseg.io.tables import read_table, write_table
from tumorseg.plotting.style import FIGURE_WIDTH_INCHES, figure_style, save_figure

DROPOUTS = (0.0, 0.1)
STEPS_PER_EPOCH = 30
"""As the recipe had when the scores were recorded."""
REGIONS = list(TASK.region_labels)
ALL = ",".join(TASK.channel_names)
SUBSETS = [",".join(subset) for subset in TASK.channel_subsets]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True, dest="command")
    run = commands.add_parser("run", help="train, score and write the table of scores")
    run.add_argument("folder", type=Path, help="folder for the results of the workflow")
    run.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    table = commands.add_parser("table", help="print the means as Markdown tables")
    figure = commands.add_parser("figure", help="draw the means")
    for command in (run, table, figure):
        command.add_argument("scores", type=Path, help="table of the scores, CSV")
    figure.add_argument("output", type=Path, help="the figure to write, PNG")
    options = parser.parse_args(arguments)
    try:
        if options.command == "run":
            write_table(options.scores, run_workflow(options.folder, options.seeds))
        scores = read_table(options.scores, text_columns=["case", "channels"])
    except (UserError, pytest.skip.Exception) as error:
        raise SystemExit(f"{error}") from None
    if options.command == "figure":
        save_figure(draw(scores), [options.output], dpi=110)
    else:
        print(means_table(scores), gain_table(scores), sep="\n\n")


def run_workflow(folder: Path, seeds: Sequence[int]) -> pd.DataFrame:
    """Train without and with channel dropout for each seed, and return the Dice of all cases.

    Returns:
        A row for each dropout, seed, subset of the channels and case, with a column for each structure.
    """
    tables = []
    for seed in seeds:
        for dropout in DROPOUTS:
            run = folder / f"dropout-{dropout:g}-seed-{seed}"
            command = [sys.executable, "-m", "snakemake", "--snakefile", str(REPOSITORY / "Snakefile"), "--cores", "2"]
            command += ["--directory", str(run), "--configfile", str(REPOSITORY / "workflow/recipes/minutes.yaml")]
            command += ["--config", f"data={require_learning_data()}", "cohort={folds: 3}"]
            command += [f"training={{channel_dropout: {dropout:g}, seed: {seed}, steps_per_epoch: {STEPS_PER_EPOCH}}}"]
            # Mirroring would take eight times as long, for all 15 subsets.
            command += ["evaluation={leave_out_modalities: true}", "prediction={test_time_mirroring: false}"]
            subprocess.run([*command, "--", "results/evaluation/channel_subsets.csv"], check=True)
            cases = read_table(
                run / "results/evaluation/channel_subsets_cases.csv", text_columns=["case", "channels", "region"]
            )
            wide = cases.pivot(index=["channels", "case", "fold"], columns="region", values="dice").reset_index()
            tables.append(wide.assign(dropout=dropout, seed=seed))
    keys = ["dropout", "seed", "fold", "case", "channels"]
    return pd.concat(tables)[[*keys, *DICE]].round(5)


def means_table(scores: pd.DataFrame) -> str:
    """Return the mean Dice of each subset, without and with channel dropout."""
    means = scores.groupby(["channels", "dropout"])[DICE].mean()
    header = ["images", *(f"{name}, {text}" for name in DICE for text in ("without", "with"))]
    lines = [header, ["---", *["---:"] * (len(header) - 1)]]
    for channels in SUBSETS:
        found = [means.loc[channels, dropout] for dropout in DROPOUTS]
        lines.append([_titles(channels), *(f"{dice[name]:.3f}" for name in DICE for dice in found)])
    return markdown(lines)


def gain_table(scores: pd.DataFrame) -> str:
    """Return the paired differences with all images: with dropout minus without, of each seed and of all."""
    complete = scores[scores["channels"] == ALL]
    without, with_dropout = (complete[complete["dropout"] == dropout] for dropout in DROPOUTS)
    columns = {name: [name] for name in DICE} | {"mean": DICE}
    lines = [["seed", *columns], ["---", *["---:"] * len(columns)]]
    seeds = sorted(complete["seed"].unique())
    for seed in [*seeds, None]:
        one, other = (table if seed is None else table[table["seed"] == seed] for table in (with_dropout, without))
        cells = [paired_difference(one, other, names)[1] for names in columns.values()]
        lines.append(["all" if seed is None else str(seed), *cells])
    return markdown(lines)


def _titles(channels: str) -> str:
    return ", ".join(TASK.channel_titles[name] for name in channels.split(","))


def draw(scores: pd.DataFrame) -> Figure:
    """Return a figure with a panel for each region: mean Dice of each subset, and its range over the seeds."""
    seeds = scores.groupby(["channels", "dropout", "seed"])[REGIONS].mean()
    places = range(len(SUBSETS))
    with figure_style():
        figure = Figure(figsize=(FIGURE_WIDTH_INCHES, 5.2), layout="constrained")
        panels = figure.subplots(1, len(REGIONS), sharey=True)
        for axes, region in zip(panels, REGIONS, strict=True):
            for dropout, colour, shift in zip(DROPOUTS, ("#D55E00", "#0072B2"), (-0.13, 0.13), strict=True):
                found = [seeds.loc[channels, dropout][region] for channels in SUBSETS]
                rows = [place + shift for place in places]
                axes.hlines(rows, [each.min() for each in found], [each.max() for each in found], color=colour)
                face = colour if dropout else "white"
                label = f"channel dropout {dropout:g}" if dropout else "no channel dropout"
                means = [each.mean() for each in found]
                axes.plot(means, rows, "o", color=colour, markerfacecolor=face, markersize=5, label=label)
            axes.set(title=region, xlabel="mean Dice", xlim=(-0.02, 1), ylim=(len(SUBSETS) - 0.5, -0.5))
            axes.grid(axis="both")
        panels[0].set_yticks(places, [_titles(channels) for channels in SUBSETS])
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


if __name__ == "__main__":
    main()
