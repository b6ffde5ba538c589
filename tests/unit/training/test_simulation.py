"""Processes that simulate the cases of synthetic patches."""

import os
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import psutil
import pytest
import torch

from tests.support.builders import REPOSITORY, TASK, make_fold_data, recipe, write_random_case
from tests.support.stub_simulator import DYING, FAILING
from tumorseg.codedigest.digest import imported_modules
from tumorseg.codedigest.project import Project
from tumorseg.errors import UserError
from tumorseg.networks.devices import Execution
from tumorseg.preprocessing.store import write_case
from tumorseg.synthetic.case import synthetic_case
from tumorseg.task import load_task
from tumorseg.training import simulation
from tumorseg.training.batches import iterate_batches
from tumorseg.training.patches import PatchSettings, read_patch
from tumorseg.training.simulation import Simulators, start_simulators
from tumorseg.training.simulation_messages import Request, Simulation

CPU = Execution(torch.device("cpu"), torch.float32)
NORMALISATION = {"clip_percentiles": [0.5, 99.5], "margin_voxels": 1, "spacing_mm": [8.0, 8.0, 8.0]}
SIMULATION = Simulation(NORMALISATION, TASK, 7, PatchSettings((16, 16, 16), 0.5))
STUB = str(REPOSITORY / "tests/support/stub_simulator.py")
INTERRUPTED = """
import signal
import time
from tumorseg.training import simulation
from tests.unit.training.test_simulation import SIMULATION, STUB
simulation.SIMULATOR = STUB
signal.signal(signal.SIGINT, signal.default_int_handler)  # tests in the background ignore it
with simulation.Simulators(SIMULATION, 2):
    print("ready", flush=True)
    time.sleep(100)
"""


def request(index: int) -> Request:
    return Request(index, np.random.default_rng(index))


@pytest.fixture
def stub(monkeypatch):
    """Simulate nothing, which takes no time."""
    monkeypatch.setattr(simulation, "SIMULATOR", STUB)


@pytest.mark.slow
def test_patches_are_those_of_the_files_of_the_cases_whatever_the_number_of_processes(tmp_path):
    expected = []
    for index in range(3):
        case = synthetic_case(NORMALISATION, TASK, 7, index)
        write_case(tmp_path / f"{case.origin.case}.safetensors", case)
        path = tmp_path / f"synthetic-7-{index:06d}.safetensors"
        expected.append((path.stem, *read_patch(path, SIMULATION.patches, np.random.default_rng(index))))
    for processes in (1, 2):
        with Simulators(SIMULATION, processes) as simulators:
            found = [future.result() for future in simulators.simulate(map(request, range(3)))]
        for patch, (name, image, mask) in zip(found, expected, strict=True):
            assert patch.case == name
            np.testing.assert_array_equal(patch.image, image)
            np.testing.assert_array_equal(patch.mask, mask)


@pytest.mark.usefixtures("stub")
def test_batches_have_simulated_patches_among_real_ones(tmp_path):
    cases = [write_random_case(tmp_path / f"case-{number}.safetensors", seed=number) for number in range(2)]
    settings = recipe(steps_per_epoch=3, batch_size=2, synthetic_fraction=0.5, synthetic_cases=None).training
    with Simulators(SIMULATION, 2) as simulators:
        batches = list(iterate_batches(cases, settings, 0, 2, simulators=simulators))
    real, simulated = zip(*(batch.cases for batch in batches), strict=True)
    assert set(real) == {"case-0", "case-1"}
    assert simulated == ("7", "9", "11")  # the second epoch, after the patches 0 to 5 of the first
    assert [batch.images[1].unique().tolist() for batch in batches] == [[7], [9], [11]]


@pytest.mark.usefixtures("stub")
def test_few_patches_are_requested_in_advance():
    asked = []

    def requests():
        for index in range(100):
            asked.append(index)
            yield request(index)

    with Simulators(SIMULATION, 2) as simulators:
        patches = simulators.simulate(requests())
        assert [next(patches).result().case for _ in range(3)] == ["0", "1", "2"]
        assert len(asked) <= 3 + 4


@pytest.mark.usefixtures("stub")
def test_an_error_of_a_simulation_reaches_the_training():
    with Simulators(SIMULATION, 1) as simulators:
        failed, following = simulators.simulate(map(request, [FAILING, 3]))
        with pytest.raises(UserError, match="cannot be simulated"):
            failed.result()
        assert following.result().case == "3"


def test_a_task_that_cannot_be_simulated_is_an_error_of_the_user():
    other = replace(SIMULATION, task=load_task("brats-paediatric"))
    with Simulators(other, 1) as simulators, pytest.raises(UserError, match="means cyst"):
        next(simulators.simulate([request(0)])).result()


@pytest.mark.usefixtures("stub")
def test_a_process_that_ends_is_reported_with_what_to_do():
    with Simulators(SIMULATION, 1) as simulators:
        for future in simulators.simulate(map(request, [DYING, 3])):
            with pytest.raises(UserError, match=r"has ended \(status -6\).*lower training\.threads"):
                future.result()


@pytest.mark.usefixtures("stub")
def test_an_error_of_the_training_ends_the_processes():
    def train():
        with Simulators(SIMULATION, 2) as simulators:
            next(simulators.simulate(map(request, range(50)))).result()
            children.extend(psutil.Process().children())
            raise KeyboardInterrupt

    children = []
    with pytest.raises(KeyboardInterrupt):
        train()
    assert len(children) == 2
    assert not any(child.is_running() for child in children)


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_no_process_outlives_the_training(sent):
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY / "scripts")}
    training = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED],
        env=environment,
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert training.stdout.readline() == "ready\n"
    children = psutil.Process(training.pid).children()
    training.send_signal(sent)
    _, errors = training.communicate(timeout=30)
    _, alive = psutil.wait_procs(children, timeout=10)
    assert (len(children), alive) == (2, [])
    assert errors.count("Traceback") == (sent == signal.SIGINT)  # of the training itself


def test_simulation_starts_only_if_the_training_needs_it():
    settings = recipe(synthetic_fraction=0.5, synthetic_cases=None)
    with start_simulators(recipe(synthetic_cases=None), make_fold_data(), CPU) as simulators:
        assert simulators is None
    with start_simulators(recipe(synthetic_fraction=0.5), make_fold_data(), CPU) as simulators:
        assert simulators is None
    with pytest.raises(UserError, match=r"fold-0/data\.json and run again"):
        start_simulators(settings, make_fold_data(), CPU)


@pytest.mark.usefixtures("stub")
@pytest.mark.parametrize(("free_gib", "processes"), [(100, 3), (1.5, 2), (0, 1)])
def test_memory_limits_the_number_of_processes(monkeypatch, free_gib, processes):
    monkeypatch.setattr(simulation, "free_cpu_bytes", lambda *_: int(free_gib * 2**30))
    settings = recipe(synthetic_fraction=0.5, synthetic_cases=None, threads=3)
    data = replace(make_fold_data(), simulated={"settings": NORMALISATION, "code": "digest"})
    with start_simulators(settings, data, CPU) as simulators:
        assert simulators.processes == processes


@pytest.mark.parametrize(("waited_s", "lines"), [(0.9, 1), (0.05, 0)])
def test_the_log_recommends_a_pool_once_if_steps_wait(monkeypatch, waited_s, lines):
    logged = []
    monkeypatch.setattr(simulation.logger, "info", lambda text, *values: logged.append(text % values))
    waits = simulation._Waits(processes=2)
    for _ in range(100):
        waits.count(1, waited_s, 1 - waited_s)
    assert len(logged) == lines
    if lines:
        assert "wait 90 % of the time for simulated cases: 2 processes can make 1.00 of them" in logged[0]
        assert "steps could use 10.00;" in logged[0]


def test_the_training_does_not_import_the_code_of_synthetic_cases():
    project = Project(REPOSITORY / "scripts")
    trained = imported_modules(project, [project.module("train_epoch")])
    assert not {name for name in trained if name.startswith(("tumorseg.synthetic", "tumorseg.demo"))}
    simulated = imported_modules(project, [project.module("tumorseg.synthetic.simulator")])
    assert "tumorseg.synthetic.case" in simulated
    assert "tumorseg.training.recipe" not in simulated  # which imports torch
