"""The race of training methods: turns of equal CPU time, finished methods, the table of scores."""

import numpy as np
import pytest
import torch

from tests.benchmarks.race import cases, product, run
from tests.benchmarks.race.table import leads, race_table
from tests.benchmarks.race.turns import train_in_turns
from tests.benchmarks.study.table import DICE, append, read_results
from tests.support.builders import REPOSITORY
from tests.unit.race.builders import race, recipe_file
from tumorseg.networks.devices import Execution

CPU = Execution(torch.device("cpu"), torch.float32)


class Clock:
    """CPU minutes that only the steps of methods use."""

    def __init__(self):
        self.minutes, self.steps = 0.0, []

    def step(self, name, minutes):
        def step(done):
            self.minutes += minutes
            self.steps.append((name, done))
            return 1.0

        return step


def test_the_page_of_the_measurements_has_the_recorded_scores():
    recorded = read_results(REPOSITORY / "tests/benchmarks/race/8-minutes.csv")
    assert race_table(recorded) in (REPOSITORY / "workflow/docs/measurements.md").read_text()


def test_each_method_gets_the_same_time_in_turns():
    clock = Clock()
    steps = {"fast": clock.step("fast", 0.125), "slow": clock.step("slow", 0.5)}
    rounds = list(train_in_turns(steps, 2, lambda: clock.minutes, turn_minutes=0.5))
    assert len(rounds) == 4
    assert [name for name, _ in clock.steps[:10]] == ["fast"] * 4 + ["slow"] + ["fast"] * 4 + ["slow"]
    assert [(each.minutes, each.mark) for each in rounds[0].values()] == [(0.5, 0.25)] * 2
    assert {name: (each.minutes, each.steps, each.mark) for name, each in rounds[-1].items()} == {
        "fast": (2, 16, 1),
        "slow": (2, 4, 1),
    }


def test_a_step_knows_the_fraction_of_its_own_time():
    clock = Clock()
    list(train_in_turns({"a": clock.step("a", 0.25), "b": clock.step("b", 0.25)}, 1, lambda: clock.minutes, 0.25))
    assert [done for name, done in clock.steps if name == "b"] == [0, 0.25, 0.5, 0.75]


def test_a_long_step_is_not_repeated_in_the_turns_that_it_has_used():
    clock = Clock()
    steps = {"long": clock.step("long", 0.75), "short": clock.step("short", 0.25)}
    list(train_in_turns(steps, 1, lambda: clock.minutes, turn_minutes=0.25))
    assert [name for name, _ in clock.steps] == ["long", "short", "short", "short", "long", "short"]


def test_each_seed_holds_out_another_fold():
    assert cases.fold_of_seeds([5, 1, 2, 7]) == [(5, 0), (1, 1), (2, 2), (7, 0)]


def rows(setup, digest="d", seed=1, fold=0, mirroring=False, **dice):
    about = {"setup": setup, "digest": digest, "fold": fold, "seed": seed, "mark": 1, "mirroring": mirroring}
    about |= {"minutes": 8.0, "wall_minutes": 9.0, "steps": 400, "loss": 1.0}
    return [{**about, "case": case, **dict.fromkeys(DICE, value)} for case, value in dice.items()]


def method(name="MONAI", content="c"):
    return run.Method(name, content, lambda _: None)


def test_finished_methods_of_a_race_are_skipped(tmp_path):
    table, first, second = tmp_path / "r.csv", race(tmp_path), race(tmp_path, seed=2)
    known, missing = method(), method("nnU-Net")
    append(table, rows("MONAI", known.digest(first), z=0.5))
    assert list(run.unfinished(read_results(table), [known, missing], first, table).values()) == [missing]
    assert list(run.unfinished(read_results(table), [known, missing], second, table).values()) == [known, missing]


def test_results_of_other_settings_or_cases_are_not_mixed(tmp_path):
    table = tmp_path / "r.csv"
    append(table, rows("MONAI", method().digest(race(tmp_path)), z=0.5))
    for same_method in ("MONAI", "MONAI, windows"):
        table.unlink()
        append(table, rows(same_method, method().digest(race(tmp_path)), z=0.5))
        with pytest.raises(SystemExit, match=r"r.csv has results of MONAI with other settings, cases, minutes"):
            run.unfinished(read_results(table), [method(content="other")], race(tmp_path), table)
    other = race(tmp_path, training=race(tmp_path).training[:1])
    with pytest.raises(SystemExit, match="other settings, cases, minutes or precision"):
        run.unfinished(read_results(table), [method()], other, table)


def test_the_digest_of_our_method_depends_on_minutes_and_start(tmp_path):
    settings = product.read_product_settings([recipe_file(tmp_path / "r.yaml")])
    races = [race(tmp_path)]
    start = tmp_path / "model.safetensors"
    start.write_bytes(b"model")
    digests = [
        run.product_method("here", settings, minutes, races, start_from=start_from).digest(races[0])
        for minutes, start_from in ((8, None), (8, None), (45, None), (8, start))
    ]
    assert digests[0] == digests[1]
    assert len(set(digests)) == 3


def test_a_race_trains_scores_and_writes_all_methods(tmp_path, monkeypatch, capsys):
    clock = Clock()
    monkeypatch.setattr(run, "cpu_minutes", lambda _: clock.minutes)

    def enter(_):
        perfect = run.Prediction(mirroring=False, mask=lambda case: case.mask)
        empty = run.Prediction(mirroring=True, mask=lambda case: np.zeros_like(case.mask), suffix=", windows")
        return run.Competitor(clock.step("x", 1), lambda: [perfect, empty])

    methods = [run.Method(name, name, enter) for name in ("here", "MONAI")]
    run.run_races([race(tmp_path)], methods, 2, tmp_path / "new/r.csv")
    found = read_results(tmp_path / "new/r.csv")
    assert list(zip(found["setup"], found["mirroring"], found["labels"], found["steps"], strict=True)) == [
        ("here", False, 1.0, 2),
        ("here, windows", True, 0.0, 2),
        ("MONAI", False, 1.0, 2),
        ("MONAI, windows", True, 0.0, 2),
    ]
    run.run_races([race(tmp_path)], methods, 2, tmp_path / "new/r.csv")
    assert "0 of 2 trainings to do" in capsys.readouterr().out
    assert len(read_results(tmp_path / "new/r.csv")) == 4


def test_the_scores_of_a_method_are_kept_when_a_later_one_is_interrupted(tmp_path, monkeypatch):
    clock = Clock()
    monkeypatch.setattr(run, "cpu_minutes", lambda _: clock.minutes)

    def interrupt():
        raise KeyboardInterrupt

    def perfect():
        return [run.Prediction(mirroring=False, mask=lambda case: case.mask)]

    methods = [
        run.Method(name, name, lambda _, found=found: run.Competitor(clock.step("x", 1), found))
        for name, found in (("here", perfect), ("MONAI", interrupt))
    ]
    with pytest.raises(KeyboardInterrupt):
        run.run_races([race(tmp_path)], methods, 1, tmp_path / "r.csv")
    missing = run.unfinished(read_results(tmp_path / "r.csv"), methods, race(tmp_path), tmp_path / "r.csv")
    assert [each.name for each in missing.values()] == ["MONAI"]


def test_the_table_compares_with_the_better_of_the_others(tmp_path):
    path = tmp_path / "r.csv"
    append(path, [*rows("here", x=0.5, y=0.75), *rows("MONAI, windows", x=0.125, y=0.25)])
    append(path, rows("nnU-Net, whole volumes", x=0.25, y=0.25))
    append(path, rows("nnU-Net, windows", mirroring=True, x=0.25, y=0.5))
    found = leads(read_results(path))
    assert [(lead.name, lead.other, lead.measure, lead.difference) for lead in found] == [
        ("here", "nnU-Net, windows, mirroring", "labels", 0.25),
        ("here", "nnU-Net, windows, mirroring", "regions", 0.25),
    ]
    lines = race_table(read_results(path)).splitlines()
    assert lines[0].endswith("| against nnU-Net, windows, mirroring |")
    assert lines[2].startswith("| here | 1 | 1 | 0.625 |")
    assert lines[-2:] == [
        "- here minus nnU-Net, windows, mirroring, the better of the others, mean of the labels: +0.250 ± 0.000",
        "- here minus nnU-Net, windows, mirroring, the better of the others, mean of the regions: +0.250 ± 0.000",
    ]


def test_a_table_without_other_methods_has_no_comparison(tmp_path):
    append(tmp_path / "r.csv", rows("here", x=0.5))
    assert len(race_table(read_results(tmp_path / "r.csv")).splitlines()) == 3
