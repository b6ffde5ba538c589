"""Read a checkpoint from disk again and report whether it is valid."""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from tumorseg.cli import console
from tumorseg.io.files import read_json, write_json
from tumorseg.preprocessing.fold_data import read_fold_data
from tumorseg.task import add_task_option
from tumorseg.training.checkpoint import checkpoint_record_path
from tumorseg.training.recipe import Recipe
from tumorseg.training.verification import checkpoint_problems


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line of the rule verify_checkpoint.

    The job succeeds for an invalid checkpoint too. The result lists the problems.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True, help="checkpoint, with its record beside it")
    parser.add_argument("--data", type=Path, required=True, help="cases of the fold and their digests, as JSON")
    parser.add_argument("--fold", type=int, required=True, help="expected fold of the checkpoint")
    parser.add_argument("--epoch", type=int, required=True, help="expected epoch of the checkpoint")
    parser.add_argument("--recipe", type=json.loads, required=True, help="sections `model` and `training`, as JSON")
    add_task_option(parser)
    parser.add_argument("--output", type=Path, required=True, help="result of the verification, as JSON")
    parser.add_argument("--log", type=Path, help="log file")
    options = parser.parse_args(arguments)
    with console.job(f"verify_checkpoint fold {options.fold} epoch {options.epoch}", options.log):
        recipe = Recipe.from_config(options.recipe, options.task)
        data = read_fold_data(options.data, options.fold)
        problems = checkpoint_problems(options.checkpoint, recipe, data, options.epoch)
        for problem in problems:
            console.logger.warning("REFUSED %s %s [%s]", options.checkpoint, problem.message, problem.code)
        if not problems:
            console.logger.info("%s is valid", options.checkpoint)
        result = {
            "fold": options.fold,
            "epoch": options.epoch,
            "file": str(options.checkpoint),
            "ok": not problems,
            "problems": [asdict(problem) for problem in problems],
            "digest": None if problems else read_json(checkpoint_record_path(options.checkpoint))["digest"],
        }
        write_json(options.output, result)


if __name__ == "__main__":
    main()
