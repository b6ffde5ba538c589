"""Write synthetic cases, invented tumours in deformed template brains: normalised as for a training, or NIfTI files."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from tumorseg.cli import console
from tumorseg.io.files import make_folder
from tumorseg.synthetic.pool import write_cohort, write_pool
from tumorseg.task import DEFAULT_TASK, parse_task_argument

_SETTINGS: Final = {"clip_percentiles": [0.5, 99.5], "margin_voxels": 4, "spacing_mm": 2}


def _settings(text: str) -> dict[str, Any]:
    """Return normalisation settings from JSON; a missing key has its default."""
    given = json.loads(text)
    if not isinstance(given, dict) or not given.keys() <= _SETTINGS.keys():
        raise argparse.ArgumentTypeError(f"{text}: write a JSON object with keys among {', '.join(_SETTINGS)}")
    return {**_SETTINGS, **given}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line of the rule write_synthetic_cases, which users can also run themselves."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, required=True, help="folder of the cases")
    parser.add_argument(
        "--nifti",
        action="store_true",
        help="write a cohort for `cohort.root`, with a folder of NIfTI files for each case; complete cases are kept",
    )
    parser.add_argument("--cases", type=int, required=True, help="number of cases")
    parser.add_argument("--first", type=int, default=0, help="number of the first case (0 by default)")
    parser.add_argument("--seed", type=int, default=0, help="another seed gives other cases (0 by default)")
    parser.add_argument(
        "--task", default=DEFAULT_TASK, help=f"name in workflow/tasks, or a file ({DEFAULT_TASK} by default)"
    )
    parser.add_argument(
        "--settings",
        type=_settings,
        default=_SETTINGS,
        help="the `normalisation` section or some of its keys, as JSON (%(default)s by default)",
    )
    parser.add_argument("--processes", type=int, default=1, help="number of processes (1 by default)")
    parser.add_argument("--log", type=Path, help="log file")
    options = parser.parse_args(arguments)
    with console.job("write_synthetic_cases", options.log):
        folder = options.output.expanduser()
        make_folder(folder)
        progress = console.Progress(options.cases, "case")
        indices = range(options.first, options.first + options.cases)
        task = parse_task_argument(options.task)
        write = write_cohort if options.nifti else write_pool
        for path in write(folder, options.settings, task, options.seed, indices, processes=options.processes):
            progress.step(path.stem)


if __name__ == "__main__":
    main()
