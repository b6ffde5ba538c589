"""One training of a study, with the trainer's own steps, and its scores on the held-out cases."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path

from tests.benchmarks.study.plan import Run
from tests.support.builders import TASK
from tumorseg.inference.predictor import PredictionSettings, Predictor
from tumorseg.metrics.overlap import overlaps
from tumorseg.networks.base import Network
from tumorseg.networks.devices import Execution, resolve_execution
from tumorseg.preprocessing.crop import cropped_start
from tumorseg.preprocessing.store import read_case
from tumorseg.training.batches import iterate_batches
from tumorseg.training.checkpoint import TrainingState
from tumorseg.training.losses import LossModule, LossTerms
from tumorseg.training.schedule import learning_rate
from tumorseg.training.start_model import read_start_model
from tumorseg.training.step_memory import require_memory
from tumorseg.training.trainer import READER_THREADS, train_step

MARKS = (0.25, 0.5, 0.75, 1.0)
"""Fractions of the CPU time after which the network is evaluated."""


@dataclass(frozen=True)
class Progress:
    """A training at one of the `MARKS`.

    minutes: CPU minutes so far, evaluation excluded.
    wall_minutes: minutes on the clock so far, evaluation excluded.
    loss: mean since the last mark.
    """

    mark: float
    minutes: float
    wall_minutes: float
    steps: int
    loss: float


def execution(run: Run) -> Execution:
    """Return the CPU with the precision of a training, and set the number of threads."""
    settings = run.recipe.training
    return resolve_execution("cpu", settings.precision, settings.threads, settings.deterministic)


def cpu_minutes(threads: int) -> float:
    """Return the process time of all threads of this process in minutes, divided by the threads of PyTorch.

    On an otherwise idle machine it is close to the time on the clock. Other programs hardly change it.
    """
    return time.process_time() / 60 / threads


class Training:
    """A training in single steps.

    Args:
        run: the training.
        cases: files of the training cases.
        held_out: files of the held-out cases, on which a model to start from must not have been trained.
        synthetic_cases: files of synthetic cases to train on as well.
    """

    def __init__(
        self, run: Run, cases: Sequence[Path], held_out: Sequence[Path], synthetic_cases: Sequence[Path] = ()
    ) -> None:
        self._settings = settings = run.recipe.training
        self._cpu = execution(run)
        require_memory(run.recipe, self._cpu)
        self._state = TrainingState.initial(run.recipe, run.fold, self._cpu)
        if start_model := read_start_model(run.start_from, run.recipe, held_out):
            self._state.start_from(start_model)
        self._state.network.train()
        self._loss_module = LossModule(self._state.network, self._cpu, LossTerms.from_recipe(run.recipe))
        self._batches = chain.from_iterable(
            iterate_batches(cases, settings, run.fold, epoch, synthetic_cases=synthetic_cases, workers=READER_THREADS)
            for epoch in count(1)
        )

    @property
    def network(self) -> Network:
        """The network to evaluate."""
        return self._state.eval_network

    def step(self, done: float) -> float:
        """Train on the next batch and return the loss. The schedule of the learning rate ends when `done` is 1."""
        settings = self._settings
        rate = learning_rate(
            settings.schedule,
            settings.learning_rate,
            settings.schedule_epochs,
            settings.schedule_epochs * done,
            settings.warmup_epochs,
        )
        return train_step(self._state, self._loss_module, next(self._batches), rate, self._cpu)[0]


def train(
    run: Run,
    cases: Sequence[Path],
    held_out: Sequence[Path],
    minutes: float,
    on_mark: Callable[[Progress, Network], None],
) -> None:
    """Train for a number of CPU minutes. The schedule of the learning rate ends when they do.

    Args:
        run: the training.
        cases: files of the training cases.
        held_out: files of the held-out cases, see `Training`.
        minutes: CPU minutes.
        on_mark: called at each of the `MARKS`, with the network to evaluate.
    """
    training, threads = Training(run, cases, held_out), run.recipe.training.threads
    used = clock = 0.0
    losses: list[float] = []
    steps = 0
    for mark in MARKS:
        losses.clear()
        while used < mark * minutes:
            began, began_clock = cpu_minutes(threads), time.monotonic()
            losses.append(training.step(used / minutes))
            used += cpu_minutes(threads) - began
            clock += (time.monotonic() - began_clock) / 60
            steps += 1
        on_mark(Progress(mark, used, clock, steps, sum(losses) / max(1, len(losses))), training.network)


def case_scores(
    network: Network, cases: Sequence[Path], cpu: Execution, *, mirroring: bool
) -> dict[str, dict[str, float]]:
    """Return the Dice of each structure for each case, predicted as a whole volume."""
    settings = PredictionSettings("whole", (128, 128, 128), 0.5, test_time_mirroring=mirroring, probabilities=False)
    predictor = Predictor([network], cpu, settings, TASK.unused_classes)
    found = {}
    for path in cases:
        case = read_case(path)
        mask = predictor.predict(case.image, cropped_start(case.origin)).mask
        found[path.stem] = {name: overlap.dice for name, overlap in overlaps(case.mask, mask, TASK).items()}
    return found
