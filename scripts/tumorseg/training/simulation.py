"""Simulate a new case for each synthetic patch, in processes beside the training.

Threads would not do: while one simulates a case, each operation of the training waits 0.5 ms for Python's lock
(measured at 2 mm).
"""

import os
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import islice
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

from tumorseg.cli.console import logger
from tumorseg.errors import UserError
from tumorseg.networks.devices import Execution
from tumorseg.networks.memory import GIB
from tumorseg.preprocessing.fold_data import FoldData
from tumorseg.training.recipe import Recipe
from tumorseg.training.simulation_messages import Request, SimulatedPatch, Simulation
from tumorseg.training.step_memory import free_cpu_bytes

SIMULATOR: Final = "synthetic/simulator.py"
"""The file that runs in each process. It is not imported here, see its docstring."""
_AHEAD: Final = 2
"""Patches that are requested in advance, for each process."""
_COUNTED: Final = 4
"""Cases after which the speed of the simulation is known, for each process."""
_MUCH: Final = 0.2
"""Fraction of the time of the training that waiting may take before the log recommends another way."""


class _Simulator(NamedTuple):
    process: subprocess.Popen[bytes]
    connection: Connection


class Simulators:
    """Processes that simulate cases. Use it in a `with` statement, which ends them.

    They also end when this process ends, for any reason.

    Args:
        simulation: what all requests have in common.
        processes: number of processes. The patches do not depend on it.
    """

    def __init__(self, simulation: Simulation, processes: int) -> None:
        self._all = [_start(simulation) for _ in range(processes)]
        self._idle: SimpleQueue[_Simulator] = SimpleQueue()
        for simulator in self._all:
            self._idle.put(simulator)
        self._threads = ThreadPoolExecutor(processes)  # each waits for a process
        self._waits = _Waits(processes)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for simulator in self._all:
            simulator.process.kill()
        self._threads.shutdown(cancel_futures=True)
        for simulator in self._all:
            simulator.process.wait()
            simulator.connection.close()

    @property
    def processes(self) -> int:
        """The number of processes."""
        return len(self._all)

    def simulate(self, requests: Iterable[Request]) -> Iterator[Future[SimulatedPatch]]:
        """Yield the coming patch of each request, in their order; the next ones are simulated in the background.

        At any time, at most twice as many patches as processes have been requested in advance.

        Args:
            requests: the requests. Each is read only when its turn comes.
        """
        waiting = iter(requests)
        ahead = deque(self._threads.submit(self._answer, each) for each in islice(waiting, _AHEAD * self.processes))
        while ahead:
            yield ahead.popleft()
            ahead.extend(self._threads.submit(self._answer, each) for each in islice(waiting, 1))

    def count_step(self, cases: int, *, waited_s: float, step_s: float) -> None:
        """Log once if the steps wait for cases much of the time.

        Args:
            cases: simulated cases of a step.
            waited_s: seconds that the step has waited for its batch.
            step_s: seconds that it has taken with its batch.
        """
        self._waits.count(cases, waited_s, step_s)

    def _answer(self, request: Request) -> SimulatedPatch:
        """Return the patch of an idle process. Raise its error, or UserError if it has ended."""
        simulator = self._idle.get()
        try:
            simulator.connection.send(request)
            answer: SimulatedPatch | Exception = simulator.connection.recv()
        except (EOFError, OSError):
            raise UserError(
                f"a process that simulates cases has ended (status {simulator.process.wait()}), perhaps for lack of "
                "memory: request more memory, lower training.threads, which is the number of these processes, or train "
                "on a fixed number of cases (training.synthetic_cases)"
            ) from None
        finally:
            self._idle.put(simulator)
        if isinstance(answer, Exception):
            raise answer
        return answer


@dataclass
class _Waits:
    """Counts how long steps wait for simulated cases."""

    processes: int
    started: int = 0
    cases: int = 0
    waited_s: float = 0
    steps_s: float = 0
    logged: bool = False

    def count(self, cases: int, waited_s: float, step_s: float) -> None:
        """Count a step and log, once, whether the simulation is too slow. The first cases do not count."""
        if self.started < _AHEAD * self.processes:
            self.started += cases
            return
        self.cases, self.waited_s, self.steps_s = self.cases + cases, self.waited_s + waited_s, self.steps_s + step_s
        total_s = self.waited_s + self.steps_s
        if self.logged or self.cases < _COUNTED * self.processes or self.waited_s < _MUCH * total_s:
            return
        self.logged = True
        logger.info(
            "steps wait %.0f %% of the time for simulated cases: %s can make %.2f of them a second, but steps could "
            "use %.2f; cases that are written before the training are faster: set training.synthetic_cases to their "
            "number, such as 1000",
            100 * self.waited_s / total_s,
            _format_processes(self.processes),
            self.cases / total_s,
            self.cases / max(self.steps_s, 1e-3),
        )


def start_simulators(recipe: Recipe, data: FoldData, execution: Execution) -> AbstractContextManager[Simulators | None]:
    """Start the processes that simulate cases, if the training simulates a new case for each synthetic patch.

    There are as many as CPU threads of the training (`training.threads`), or fewer if memory is short.

    Args:
        recipe: the configuration of the training.
        data: the data of the fold, with the settings of simulated cases.
        execution: device and precision.

    Returns:
        The processes, to be used in a `with` statement; None if there is nothing to simulate.

    Raises:
        UserError: the data of the fold have no settings of simulated cases.
    """
    settings = recipe.training
    if not settings.simulates:
        return nullcontext()
    if data.simulated is None:
        raise UserError(
            f"the data of fold {data.fold} have no settings of simulated cases: delete "
            f"results/training/fold-{data.fold}/data.json and run again"
        )
    normalisation = data.simulated["settings"]
    needed = _process_bytes(normalisation)
    processes = max(1, min(settings.threads, free_cpu_bytes(recipe, execution) // needed))
    logger.info(
        "a new case for each synthetic patch comes from %s, which may need %.1f GiB each",
        _format_processes(processes),
        needed / GIB,
    )
    return Simulators(Simulation(normalisation, recipe.task, settings.seed, settings.patches), processes)


def _format_processes(number: int) -> str:
    return "1 process" if number == 1 else f"{number} processes"


def _process_bytes(normalisation: Mapping[str, Any]) -> int:
    """Return the memory that the simulation of a case takes, as measured at 1, 1.5, 2 and 4 mm."""
    edge_mm: float = normalisation["spacing_mm"][0]
    return int((0.55 + 1.3 / edge_mm**3) * GIB)


def _start(simulation: Simulation) -> _Simulator:
    ours, theirs = Pipe()
    # One thread of numerical libraries, so that no result depends on the number of cores.
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    package = Path(__file__).parents[1]
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(package.parent), environment.get("PYTHONPATH")]))
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, "-P", str(package / SIMULATOR), str(theirs.fileno())],
        pass_fds=[theirs.fileno()],
        stdin=subprocess.DEVNULL,
        env=environment,
        process_group=0,  # Ctrl-C reaches the training only, which then ends this process
    )
    theirs.close()
    ours.send(simulation)
    return _Simulator(process, ours)
