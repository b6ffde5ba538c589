"""Train the network from one checkpoint to the next."""

import argparse
import json
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from types import ModuleType

from tumorseg.cli import console
from tumorseg.errors import Message
from tumorseg.networks.devices import resolve_execution
from tumorseg.networks.starter import model_path
from tumorseg.preprocessing.fold_data import find_cases, read_fold_data
from tumorseg.task import add_task_option
from tumorseg.training import distributed
from tumorseg.training.recipe import Recipe
from tumorseg.training.schedule import previous_checkpoint_epoch
from tumorseg.training.simulation import start_simulators
from tumorseg.training.step_memory import require_memory
from tumorseg.training.trainer import start_state, train_until


def start_model_module(name: str = "start_model") -> ModuleType:
    """Return the module that reads the model to start from.

    It is imported by a composed name, which the digest of the code does not follow: only a training that starts from a
    model depends on the code that reads models, see `TRAINING_CODE` in workflow/rules/params.smk.
    """
    return import_module(f"tumorseg.training.{name}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line of the rule train_epoch."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--normalised", type=Path, nargs="+", required=True, help="folders of normalised cases")
    parser.add_argument("--synthetic", type=Path, nargs="*", default=[], help="folders of synthetic cases")
    parser.add_argument("--data", type=Path, required=True, help="cases of the fold and their digests, as JSON")
    parser.add_argument("--fold", type=int, required=True, help="fold whose cases are held out")
    parser.add_argument("--epoch", type=int, required=True, help="epoch to train up to")
    parser.add_argument(
        "--previous", type=Path, nargs="?", help="checkpoint to continue from; without it, start from the beginning"
    )
    parser.add_argument("--recipe", type=json.loads, required=True, help="sections `model` and `training`, as JSON")
    parser.add_argument(
        "--start-from",
        default="",
        help="model to start from if the recipe has its SHA-256: a path, or `starter`; empty: none",
    )
    add_task_option(parser)
    parser.add_argument("--output", type=Path, required=True, help="checkpoint to write, with its record beside it")
    parser.add_argument("--processes", type=int, default=1, help="processes that share each batch, one per GPU")
    parser.add_argument(
        "--tensorboard", default="", help="folder of event files, with a subfolder per fold; empty: none"
    )
    parser.add_argument("--log", type=Path, help="log file")
    options = parser.parse_args(arguments)
    recipe = Recipe.from_config(options.recipe, options.task)
    settings = recipe.training
    name: Message = f"train_epoch fold {options.fold}"
    if options.processes > 1 and not distributed.launched_by_torchrun():
        with console.job(name, None):  # the first process writes the log
            on_gpus, own = settings.device != "cpu", arguments or sys.argv[1:]
            distributed.launch(options.processes, settings.threads, on_gpus, Path(__file__), own)
        return
    with console.job(name, options.log, quiet=distributed.rank() > 0), ExitStack() as stack:
        execution = resolve_execution(settings.device, settings.precision, settings.threads, settings.deterministic)
        stack.enter_context(distributed.process_group(execution.device))
        with distributed.sync_errors():
            require_memory(recipe, execution)
        before = previous_checkpoint_epoch(options.epoch, settings.epochs_per_checkpoint)
        with distributed.sync_errors():
            data = read_fold_data(options.data, options.fold)
            training, validation = (find_cases(options.normalised, part) for part in (data.training, data.held_out))
            synthetic = find_cases(options.synthetic, data.synthetic)
            start_model = None
            if settings.start_from and not options.previous:
                path = model_path(options.start_from) if options.start_from else None
                start_model = start_model_module().read_start_model(path, recipe, validation)
        state = start_state(recipe, data, execution, options.previous, before, start_model=start_model)
        with distributed.sync_errors():
            simulators = stack.enter_context(start_simulators(recipe, data, execution))
        train_until(
            options.epoch,
            state,
            data=data,
            training_cases=training,
            synthetic_cases=synthetic,
            simulators=simulators,
            held_out_cases=validation,
            execution=execution,
            checkpoint=options.output,
            tensorboard_folder=Path(options.tensorboard, f"fold-{options.fold}") if options.tensorboard else None,
        )


if __name__ == "__main__":
    main()
