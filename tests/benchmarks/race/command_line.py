"""Compare training methods on the same cases, with the same CPU time, in turns.

    PYTHONPATH=scripts python -m tests.benchmarks.race run RESULTS.csv
    PYTHONPATH=scripts python -m tests.benchmarks.race kept --training DIR --test DIR RESULTS.csv
    PYTHONPATH=scripts python -m tests.benchmarks.race zero-shot MODEL --test DIR [--results RESULTS.csv]
        [--subset-scores MODEL.subsets.json] [--held-out MODEL.reliability.json]
    PYTHONPATH=scripts python -m tests.benchmarks.race table RESULTS.csv

`run` takes the real cases at 2 mm in the folder that TUMORSEG_LEARNING_DATA names, else a demo cohort. `kept` trains on
the cases of one folder and scores those of another. `zero-shot` scores a model without training. Races whose results
are in RESULTS.csv are skipped.
"""

import argparse
import math
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks.race.cases import prepare_folds, prepare_kept, prepare_synthetic
from tests.benchmarks.race.peers import PEERS, require_packages
from tests.benchmarks.race.product import (
    LONG_MINUTES,
    RECIPES,
    STARTER,
    default_recipes,
    find_starter,
    product_prediction,
    read_product_settings,
)
from tests.benchmarks.race.run import METHODS, Method, peer_method, product_method, run_races
from tests.benchmarks.race.scores import mean_line, zero_shot_held_out, zero_shot_rows, zero_shot_subsets
from tests.benchmarks.race.table import race_table
from tests.benchmarks.study.table import append, read_results
from tests.support.builders import REPOSITORY, TASK
from tumorseg.errors import UserError
from tumorseg.io.digests import sha256
from tumorseg.networks.held_out_quality import write_held_out_cases
from tumorseg.networks.subset_scores import SubsetScores, format_dice, write_subset_scores


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    options = race_options(arguments)
    try:
        if options.command == "table":
            for results in options.results:
                print(race_table(read_results(_existing_table(results))))
        elif options.command == "zero-shot":
            _zero_shot(options)
        else:
            run_race(options)
            print(race_table(read_results(options.results)))
    except UserError as error:
        raise SystemExit(f"{error}") from None


def race_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the options of a command line."""
    parser = argparse.ArgumentParser(
        "tests.benchmarks.race", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True, dest="command")
    run = commands.add_parser("run", help="three folds of the real cases, or of a demo cohort")
    kept = commands.add_parser("kept", help="train on the cases of one folder, score those of another")
    kept.add_argument("--training", type=Path, required=True, help="folder of the training cases, in any known layout")
    kept.add_argument("--test", type=Path, required=True, help="folder of the test cases")
    for command in (run, kept):
        command.add_argument("results", type=Path, help="table of the scores, CSV; finished races in it are skipped")
        command.add_argument(
            "--minutes", type=_positive, default=8, help="CPU minutes of each training (%(default)s by default)"
        )
        command.add_argument(
            "--seeds", type=_seeds, default=[1, 2, 3], help="one race each, separated by commas (1,2,3 by default)"
        )
        command.add_argument(
            "--methods",
            type=_methods,
            default=list(METHODS),
            help=f"methods to compare, separated by commas ({','.join(METHODS)} by default)",
        )
        command.add_argument(
            "--recipe",
            type=Path,
            help=f"settings of this workflow (by default minutes.yaml up to {LONG_MINUTES} minutes, with "
            "random_weights.yaml if the training starts from them, else long.yaml, in "
            f"{RECIPES.relative_to(REPOSITORY)})",
        )
        command.add_argument(
            "--starter",
            type=Path,
            help=f"model to start from (by default {STARTER.relative_to(REPOSITORY)}, if that fits the recipe)",
        )
    zero_shot = commands.add_parser("zero-shot", help="score a model without training")
    zero_shot.add_argument("model", type=Path, help="file of the model")
    zero_shot.add_argument("--results", type=Path, help="table of the scores to write, CSV")
    zero_shot.add_argument(
        "--subset-scores", type=Path, help="file to write with the scores for each subset of the channels, JSON"
    )
    zero_shot.add_argument(
        "--held-out",
        type=Path,
        help="file to write for `segment`, which derives how far to trust a mask from the test cases, JSON",
    )
    zero_shot.add_argument("--test", type=Path, required=True, help="folder of the test cases, in any known layout")
    zero_shot.add_argument(
        "--recipe", type=Path, help="file with a section `prediction` (by default that of config.yaml)"
    )
    for command in (run, kept, zero_shot):
        command.add_argument(
            "--cases", type=Path, help="folder in which the workflow normalises the cases; by default beside the table"
        )
    table = commands.add_parser("table", help="print the means as a Markdown table")
    table.add_argument("results", type=Path, nargs="+", help="tables of the scores")
    return parser.parse_args(arguments)


def run_race(options: argparse.Namespace) -> None:
    """Run the races of the command `run` or `kept` whose results are missing."""
    settings, random_settings = (
        read_product_settings(
            [options.recipe]
            if options.recipe
            else default_recipes(options.minutes, from_random_weights=from_random_weights)
        )
        for from_random_weights in (False, True)
    )
    peers = [METHODS[method] for method in options.methods if METHODS[method] in PEERS]
    require_packages(peers)
    starter = find_starter(settings, options.starter) if "starter" in options.methods else None
    folder = (options.cases or options.results.with_suffix(".cases")).resolve()
    if options.command == "run":
        races = prepare_folds(folder, settings.normalisation, options.seeds)
    else:
        races = prepare_kept(
            folder, settings.normalisation, options.seeds, training=options.training, test=options.test
        )
    synthetic_cases = (
        prepare_synthetic(folder, settings.normalisation, settings.synthetic_cases) if settings.synthetic_cases else []
    )

    def ours(name: str, start_from: Path | None) -> Method:
        own = settings if start_from else random_settings
        return product_method(
            METHODS[name], own, options.minutes, races, start_from=start_from, synthetic_cases=synthetic_cases
        )

    methods = [ours("here", None)] if "here" in options.methods else []
    methods += [ours("starter", starter)] if starter else []
    methods += [peer_method(name, options.minutes, mirroring=settings.mirroring) for name in peers]
    run_races(races, methods, options.minutes, options.results)


def _zero_shot(options: argparse.Namespace) -> None:
    """Score a model, print the means, and write a table of the scores if one is named."""
    if options.results and options.results.exists():
        raise UserError(f"{options.results} exists; name another table")
    prediction = product_prediction(options.recipe)
    with TemporaryDirectory() as temporary:
        beside = options.results.with_suffix(".cases") if options.results else Path(temporary)
        folder = (options.cases or beside).resolve()
        rows = zero_shot_rows(options.model, options.test, folder, prediction)
        print(f"{options.model}, {len(rows)} test cases: {mean_line(rows)}", flush=True)
        if options.subset_scores:
            subsets = zero_shot_subsets(options.model, options.test, folder, prediction)
            scores = SubsetScores(tuple(subsets), prediction)
            write_subset_scores(options.subset_scores, sha256(options.model), scores)
            for score in subsets:
                print(f"{', '.join(score.channels)}, {score.cases} cases: {format_dice(score, TASK)}")
        if options.held_out:
            held_out = zero_shot_held_out(options.model, options.test, folder, prediction)
            write_held_out_cases(options.held_out, sha256(options.model), held_out)
            print(f"{options.held_out}: {len(held_out.cases)} cases")
    if options.results:
        options.results.parent.mkdir(parents=True, exist_ok=True)
        append(options.results, rows)


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is not a number above 0")
    return value


def _seeds(text: str) -> list[int]:
    parts = text.split(",")
    if not all(part.isdecimal() for part in parts) or len(set(map(int, parts))) < len(parts):
        raise argparse.ArgumentTypeError(f"{text} is not a list of different numbers, such as 1,2,3")
    return [int(part) for part in parts]


def _methods(text: str) -> list[str]:
    names = text.split(",")
    if unknown := [name for name in names if name not in METHODS]:
        raise argparse.ArgumentTypeError(f"there is no method {unknown[0]}; there are {', '.join(METHODS)}")
    return [name for name in METHODS if name in names]


def _existing_table(path: Path) -> Path:
    if not path.is_file():
        raise UserError(f"there is no table {path}; correct the path")
    return path
