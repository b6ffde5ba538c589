"""Run races: all methods train in turns on the same cases, then their masks of the test cases are scored."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import torch
import yaml

from tests.benchmarks.race.cases import FOLDS, Race, text_digest
from tests.benchmarks.race.peer_prediction import Way, predict_mask, ways
from tests.benchmarks.race.peers import PEERS
from tests.benchmarks.race.product import THREADS, ProductSettings, product_predictor
from tests.benchmarks.race.randomness import OwnRandomness
from tests.benchmarks.race.scores import MaskPredictor, case_dice, mean_line
from tests.benchmarks.race.turns import train_in_turns
from tests.benchmarks.study.plan import Run
from tests.benchmarks.study.table import append, read_results
from tests.benchmarks.study.training import Progress, Training, cpu_minutes, execution
from tumorseg.preprocessing.store import case_digest

METHODS = {"here": "here", "starter": "here, from the starter model", "nnunet": "nnU-Net", "monai": "MONAI"}
"""The name in the table of each method of the command line."""


@dataclass(frozen=True)
class Prediction:
    """A way in which a method predicts masks.

    mirroring: as in the table.
    suffix: what the table adds to the name of the method.
    """

    mirroring: bool
    mask: MaskPredictor
    suffix: str = ""


@dataclass
class Competitor:
    """A method in one race.

    step: trains for a step, at a fraction of the race from 0 to 1, and returns the loss.
    predictions: returns, after the training, the ways in which it is scored.
    """

    step: Callable[[float], float]
    predictions: Callable[[], list[Prediction]]


@dataclass(frozen=True)
class Method:
    """A training method.

    content: describes all that its result depends on, apart from the race.
    enter: returns the method at the start of a race.
    """

    name: str
    content: str
    enter: Callable[[Race], Competitor]

    def digest(self, race: Race) -> str:
        """Return the digest of everything that the result of a race depends on, apart from fold and seed."""
        cases = [[case_digest(path) for path in sorted(paths)] for paths in (race.training, race.test)]
        return text_digest(yaml.safe_dump([self.name, self.content, THREADS, cases]))


def product_method(
    name: str,
    settings: ProductSettings,
    minutes: float,
    races: Sequence[Race],
    *,
    start_from: Path | None = None,
    synthetic_cases: Sequence[Path] = (),
) -> Method:
    """Return the method of this workflow with the settings of a recipe."""
    runs = settings.study(name, minutes, FOLDS, [race.seed for race in races], start_from).runs()
    by_race: dict[tuple[int, int], Run] = {(run.seed, run.fold): run for run in runs}

    def enter(race: Race) -> Competitor:
        run = by_race[race.seed, race.fold]
        training = Training(run, race.training, race.test, synthetic_cases)

        def predictions() -> list[Prediction]:
            predict = product_predictor(training.network, execution(run), settings.prediction)
            return [Prediction(settings.mirroring, predict)]

        return Competitor(training.step, predictions)

    content = yaml.safe_dump([runs[0].digest, settings.prediction])
    return Method(name, content, enter)


def peer_method(name: str, minutes: float, *, mirroring: bool) -> Method:
    """Return another method. mirroring: whether it is also scored with test-time mirroring."""
    kind = PEERS[name]
    scored = ways(own_mirroring=kind.mirrors, mirroring=mirroring)

    def enter(race: Race) -> Competitor:
        randomness = OwnRandomness(race.seed)
        with randomness.active():
            peer = kind.make()

        def prediction(way: Way) -> Prediction:
            return Prediction(way.mirroring, lambda case: predict_mask(peer.predict, case, way), way.suffix)

        def predictions() -> list[Prediction]:
            peer.network.eval()
            return [prediction(way) for way in scored]

        return Competitor(peer.steps(race.training, race.seed, race.fold, randomness), predictions)

    return Method(name, f"{minutes:g} minutes, seeded augmentation, {scored}", enter)


def unfinished(rows: pd.DataFrame, methods: Iterable[Method], race: Race, results: Path) -> dict[str, Method]:
    """Return the methods of a race whose results are missing, by digest.

    End the program if the table has other results of a method in this race.
    """
    scored = rows[(rows["fold"] == race.fold) & (rows["seed"] == race.seed)]
    missing = {}
    for method in methods:
        digest = method.digest(race)
        found = set(scored.loc[scored["setup"].map(lambda setup, name=method.name: is_of(setup, name)), "digest"])
        if found - {digest}:
            raise SystemExit(
                f"{results} has results of {method.name} with other settings, cases, minutes or precision; "
                "name another table, or delete this one"
            )
        if not found:
            missing[digest] = method
    return missing


def is_of(setup: str, method: str) -> bool:
    """Return whether a set-up in the table is a method, or a method with the suffix of a way to predict."""
    return setup in {method, *(f"{method}{Way(windows, mirroring=False).suffix}" for windows in (False, True))}


def run_races(races: Sequence[Race], methods: Sequence[Method], minutes: float, results: Path) -> None:
    """Run the races whose results are missing in the table, and append those of each method when it is scored."""
    results.parent.mkdir(parents=True, exist_ok=True)
    todo = [(race, unfinished(read_results(results), methods, race, results)) for race in races]
    trainings = sum(len(missing) for _, missing in todo)
    print(
        f"{trainings} of {len(races) * len(methods)} trainings to do, {minutes:g} CPU minutes each (process time of "
        f"all threads / {THREADS}): about {trainings * minutes:.0f} minutes on {THREADS} idle cores, and the scores",
        flush=True,
    )
    for race, missing in todo:
        if missing:
            for rows in _run_race(race, missing, minutes):
                append(results, rows)


def _run_race(race: Race, methods: Mapping[str, Method], minutes: float) -> Iterator[list[dict[str, Any]]]:
    """Yield the rows of each method of a race. methods: by digest."""
    torch.set_num_threads(THREADS)
    print(
        f"seed {race.seed}, fold {race.fold}: {len(race.training)} training cases, {len(race.test)} test cases",
        flush=True,
    )
    competitors = {method.name: method.enter(race) for method in methods.values()}
    steps = {name: competitor.step for name, competitor in competitors.items()}
    progress: dict[str, Progress] = {}
    printed = 0.0
    for progress in train_in_turns(steps, minutes, lambda: cpu_minutes(THREADS)):
        mark = min(each.mark for each in progress.values())
        if mark >= printed + 0.25:
            printed = mark // 0.25 * 0.25
            for name, each in progress.items():
                print(f"  {name}: {each.minutes:.1f} min, {each.steps} steps, loss {each.loss:.3f}", flush=True)
    for digest, method in methods.items():
        found = []
        for prediction in competitors[method.name].predictions():
            setup = method.name + prediction.suffix
            rows = list(case_dice(prediction.mask, race.test))
            print(f"  {setup}{', mirroring' if prediction.mirroring else ''}: {mean_line(rows)}", flush=True)
            about = {"setup": setup, "digest": digest, "fold": race.fold, "seed": race.seed}
            about |= {**asdict(progress[method.name]), "mirroring": prediction.mirroring}
            found += [{**about, **row} for row in rows]
        yield found
