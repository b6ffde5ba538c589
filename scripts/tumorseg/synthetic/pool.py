"""Write a cohort of synthetic cases, in the form of normalised cases."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from tumorseg.cli.processes import initialise_worker
from tumorseg.preprocessing.store import write_case
from tumorseg.synthetic.case import case_name, synthetic_case
from tumorseg.synthetic.requirements import require_simulated
from tumorseg.task import Task


def write_pool(
    folder: Path,
    settings: Mapping[str, Any],
    task: Task,
    seed: int,
    indices: Sequence[int],
    *,
    processes: int = 1,
) -> Iterator[Path]:
    """Write synthetic cases. Equal arguments give equal bytes, whatever `processes` is.

    Args:
        folder: folder for the files, which must exist; files of the same names are replaced.
        settings: as for `synthetic_case`.
        task: its channels and labels are simulated.
        seed: seed of the cohort.
        indices: numbers of the cases.
        processes: number of processes.

    Yields:
        The file of each case, once it is written.
    """
    require_simulated(task)
    write = partial(_write, folder, dict(settings), task, seed)
    if processes == 1:
        yield from map(write, indices)
        return
    with ProcessPoolExecutor(processes, initializer=initialise_worker) as workers:
        yield from workers.map(write, indices)


def _write(folder: Path, settings: Mapping[str, Any], task: Task, seed: int, index: int) -> Path:
    path = folder / f"{case_name(seed, index)}.safetensors"
    write_case(path, synthetic_case(settings, task, seed, index))
    return path
