"""Draw one of the figures, from its record in `tumorseg.plotting.catalogue`."""

import argparse
import importlib
import json
from collections.abc import Sequence
from pathlib import Path

from tumorseg.cli import console
from tumorseg.plotting.figure_record import NEEDS, FigureRecord
from tumorseg.plotting.style import save_figure
from tumorseg.task import add_task_option


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line of the figure rules."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True, help="name of the figure's module")
    for need, content in NEEDS.items():
        parser.add_argument(_option(need), type=Path, nargs="+", help=f"{content}, if the figure needs it")
    parser.add_argument(
        "--settings", type=json.loads, required=True, help="settings of `figures` that it needs, as JSON"
    )
    add_task_option(parser)
    parser.add_argument("--output", type=Path, nargs="+", required=True, help="files to write (.png, .pdf)")
    parser.add_argument("--log", type=Path, help="log file")
    options = parser.parse_args(arguments)
    record = _load_record(parser, options.name)
    files = {need: getattr(options, need) for need in record.needs}
    if missing := [_option(need) for need, paths in files.items() if not paths]:
        parser.error(f"the figure {record.name} needs {' and '.join(missing)}")
    with console.job(record.rule, options.log):
        save_figure(record.draw(files, options.task, options.settings), options.output, options.settings["dpi"])


def _option(need: str) -> str:
    return f"--{need.replace('_', '-')}"


def _load_record(parser: argparse.ArgumentParser, name: str) -> FigureRecord:
    """Import the record of one figure only, so that a change of another figure does not redraw it."""
    module = f"tumorseg.plotting.catalogue.{name}"
    try:
        record: FigureRecord = importlib.import_module(module).RECORD
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        parser.error(f"there is no figure {name}; choose one of the modules in {module.rpartition('.')[0]}")
    return record


if __name__ == "__main__":
    main()
