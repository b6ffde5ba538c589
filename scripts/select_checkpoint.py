"""Select one of the valid checkpoints, name the refused ones, and export the model."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from tumorseg.cli import console
from tumorseg.cohort.splits import read_splits, training_cases
from tumorseg.cohort.validation_result import read_validation_results
from tumorseg.io.digests import sha256
from tumorseg.io.files import read_json, write_json
from tumorseg.io.tables import write_table
from tumorseg.networks.model import write_model
from tumorseg.task import add_task_option
from tumorseg.training.selection import describe_refused, history_table, load_trained_network, select_epoch
from tumorseg.training.trained_model import trained_model_card


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line of the rule select_checkpoint."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--verifications", type=Path, nargs="+", required=True, help="results of verify_checkpoint")
    parser.add_argument("--check", type=Path, required=True, help="result of check_cohort, for the label convention")
    parser.add_argument(
        "--validation-results", type=Path, nargs="+", required=True, help="validation results of all shards"
    )
    parser.add_argument("--splits", type=Path, required=True, help="table of the splits")
    parser.add_argument("--fold", type=int, required=True, help="fold of the checkpoints")
    parser.add_argument(
        "--settings",
        type=json.loads,
        required=True,
        help="`select`, `normalisation`, `demo` and `input_shape`, as JSON",
    )
    add_task_option(parser)
    parser.add_argument("--selection", type=Path, required=True, help="selected and refused checkpoints, as JSON")
    parser.add_argument("--history", type=Path, required=True, help="table of the epochs, as CSV")
    parser.add_argument("--model", type=Path, required=True, help="model to write, a safetensors file")
    parser.add_argument("--log", type=Path, help="log file")
    options = parser.parse_args(arguments)
    with console.job(f"select_checkpoint fold {options.fold}", options.log):
        verifications = [read_json(path) for path in options.verifications]
        table = history_table([Path(result["file"]) for result in verifications], options.task)
        dice = dict(zip(table["epoch"], table["validation_dice"], strict=True))
        epoch = select_epoch(verifications, dice, options.settings["select"])
        for line in describe_refused(verifications):
            console.logger.warning("REFUSED %s", line)
        chosen = next(result for result in verifications if result["epoch"] == epoch)
        trained = load_trained_network(Path(chosen["file"]), chosen["digest"], options.task)
        results = [result for path in options.validation_results for result in read_validation_results(path)]
        card = trained_model_card(
            trained,
            results,
            training_cases(read_splits(options.splits), options.fold),
            task=options.task,
            settings=options.settings,
            convention=read_json(options.check)["convention"],
            fold=options.fold,
            epoch=epoch,
            checkpoint=chosen["digest"],
        )
        write_model(options.model, trained.network, card)
        write_table(options.history, table)
        selection = {
            "fold": options.fold,
            "epoch": epoch,
            "select": options.settings["select"],
            "refused": [
                {key: result[key] for key in ("epoch", "file", "problems")}
                for result in verifications
                if not result["ok"]
            ],
            "checkpoint": chosen["file"],
            "execution": trained.execution,
            "network": trained.network.describe(),
            "start_from": trained.start_from,
            "model": str(options.model),
            "digest": sha256(options.model),
        }
        write_json(options.selection, selection)
        valid, selected = sum(result["ok"] for result in verifications), options.settings["select"]
        console.logger.info(
            "selected epoch %d: the %s of %d valid checkpoints (%d verified)",
            epoch,
            selected,
            valid,
            len(verifications),
        )


if __name__ == "__main__":
    main()
