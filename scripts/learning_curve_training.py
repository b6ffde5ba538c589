"""Train on a subset of the training cases of a fold, for a point of the learning curve."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from tumorseg.cli import console
from tumorseg.cohort.splits import read_splits
from tumorseg.cohort.validation_result import read_validation_results
from tumorseg.errors import Message
from tumorseg.formatting import format_count
from tumorseg.io.files import read_json
from tumorseg.io.tables import write_table
from tumorseg.learning_curve.plan import START_NAMES, CurvePoint
from tumorseg.learning_curve.subsets import choose_cases, require_enough_cases
from tumorseg.learning_curve.training import (
    CaseFiles,
    log_progress,
    subset_data,
    train_point,
    with_equal_steps,
    write_training_record,
)
from tumorseg.networks.devices import resolve_execution
from tumorseg.networks.model import write_model
from tumorseg.networks.starter import model_path
from tumorseg.preprocessing.fold_data import find_cases, read_fold_data
from tumorseg.task import add_task_option
from tumorseg.training.recipe import Recipe
from tumorseg.training.selection import history_table
from tumorseg.training.start_model import read_start_model
from tumorseg.training.step_memory import require_memory
from tumorseg.training.trained_model import trained_model_card


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line of the rule learning_curve_training."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--normalised", type=Path, nargs="+", required=True, help="folders of normalised cases")
    parser.add_argument("--synthetic", type=Path, nargs="*", default=[], help="folders of synthetic cases")
    parser.add_argument("--data", type=Path, required=True, help="all cases of the fold and their digests, as JSON")
    parser.add_argument("--splits", type=Path, required=True, help="table of the splits")
    parser.add_argument("--check", type=Path, required=True, help="result of check_cohort, for the label convention")
    parser.add_argument(
        "--validation-results", type=Path, nargs="+", required=True, help="validation results of all shards"
    )
    parser.add_argument("--fold", type=int, required=True, help="fold whose cases are held out")
    parser.add_argument("--start", choices=tuple(START_NAMES), required=True, help="what the training starts from")
    parser.add_argument("--cases", type=int, required=True, help="number of training cases")
    parser.add_argument("--seed", type=int, required=True, help="seed of the choice of cases")
    parser.add_argument("--epochs", type=int, required=True, help="number of epochs")
    parser.add_argument("--recipe", type=json.loads, required=True, help="sections `model` and `training`, as JSON")
    parser.add_argument(
        "--settings", type=json.loads, required=True, help="`normalisation`, `demo` and `input_shape`, as JSON"
    )
    parser.add_argument(
        "--start-from", default="", help="model to start from if the recipe has its SHA-256; empty: none"
    )
    add_task_option(parser)
    parser.add_argument("--plan", type=json.loads, required=True, help="sizes and records of the curve, as JSON")
    parser.add_argument("--checkpoint", type=Path, required=True, help="checkpoint to write, with its record beside it")
    parser.add_argument("--history", type=Path, required=True, help="table of the epochs to write, CSV")
    parser.add_argument("--model", type=Path, required=True, help="model to write, a safetensors file")
    parser.add_argument("--record", type=Path, required=True, help="what the model was trained on, to write as JSON")
    parser.add_argument("--log", type=Path, help="log file")
    options = parser.parse_args(arguments)
    point, fold = CurvePoint(options.start, options.cases, options.seed), options.fold
    job: Message = (
        f"learning_curve_training {point.cases} cases {START_NAMES[point.start]}, seed {point.seed}, fold {fold}"
    )
    with console.job(job, options.log):
        recipe = Recipe.from_config(options.recipe, options.task)
        settings = recipe.training
        execution = resolve_execution(settings.device, settings.precision, settings.threads, settings.deterministic)
        require_memory(recipe, execution)
        fold_data = read_fold_data(options.data, fold)
        recipe = with_equal_steps(recipe, len(fold_data.training))
        require_enough_cases({fold: len(fold_data.training)}, options.plan["sizes"])
        chosen = choose_cases(read_splits(options.splits), fold, point.seed, point.cases)
        cases = [row.case for row in chosen]
        patients = format_count(len({row.patient for row in chosen}), "patient")
        console.logger.info("training on %s of %s: %s", format_count(len(cases), "case"), patients, ", ".join(cases))
        data = subset_data(fold_data, cases)
        files = CaseFiles(
            find_cases(options.normalised, data.training),
            find_cases(options.synthetic, data.synthetic),
            find_cases(options.normalised, data.held_out),
        )
        start_path = model_path(options.start_from) if options.start_from else None
        trained, digest = train_point(
            recipe,
            data,
            files,
            execution,
            epochs=options.epochs,
            start_model=read_start_model(start_path, recipe, files.held_out),
            checkpoint=options.checkpoint,
        )
        results = [result for path in options.validation_results for result in read_validation_results(path)]
        card = trained_model_card(
            trained,
            results,
            cases,
            task=options.task,
            settings=options.settings,
            convention=read_json(options.check)["convention"],
            fold=fold,
            epoch=options.epochs,
            checkpoint=digest,
        )
        write_model(options.model, trained.network, card)
        history = history_table([options.checkpoint], options.task)
        write_table(options.history, history)
        write_training_record(
            options.record,
            point,
            fold,
            options.model,
            cases=cases,
            steps=int(history["steps"].sum()),
            start_from=trained.start_from,
        )
        log_progress(options.plan["records"])


if __name__ == "__main__":
    main()
