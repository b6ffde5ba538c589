import pytest
import torch

from tests.support.builders import recipe
from tumorseg.errors import UserError
from tumorseg.networks.devices import Execution
from tumorseg.networks.memory import GIB, DeviceMemoryError, cgroup_limits
from tumorseg.training.step_memory import explain_out_of_memory, peak_bytes, require_memory

CPU = Execution(torch.device("cpu"), torch.float32)
WHOLE_VOLUME = {"base_channels": 16, "input_shape": [240, 240, 160]}


def test_the_estimate_for_a_whole_volume_is_near_the_measured_memory():
    assert peak_bytes(recipe(**WHOLE_VOLUME), torch.float32) / GIB == pytest.approx(9.4, rel=0.15)
    checkpointing = recipe(**WHOLE_VOLUME, gradient_checkpointing=True)
    assert peak_bytes(checkpointing, torch.float32) / GIB == pytest.approx(6.2, rel=0.15)


def test_memory_grows_with_the_batch_and_shrinks_with_the_precision():
    whole = peak_bytes(recipe(**WHOLE_VOLUME), torch.float32)
    assert peak_bytes(recipe(**WHOLE_VOLUME, batch_size=2), torch.float32) == pytest.approx(2 * whole, rel=0.1)
    assert peak_bytes(recipe(**WHOLE_VOLUME), torch.float16) < 0.75 * whole


def test_the_default_fits_a_gpu_of_24_gb():
    assert peak_bytes(recipe(base_channels=32, input_shape=[240, 240, 160]), torch.float16) < 0.5 * 24e9


def test_too_large_a_step_is_refused_with_the_settings_to_change():
    with pytest.raises(
        UserError, match=r"base_channels 64 needs about \d+\.\d GiB, but the device \(cpu fp32\) has"
    ) as error:
        require_memory(recipe(base_channels=64, input_shape=[2400, 2400, 1600]), CPU)
    assert "training.gradient_checkpointing to true" in str(error.value)
    with pytest.raises(UserError) as error:
        require_memory(recipe(input_shape=[4000, 4000, 4000], gradient_checkpointing=True), CPU)
    assert "gradient_checkpointing" not in str(error.value)


@pytest.mark.parametrize(("rank", "logged"), [(0, False), (1, True)])
def test_running_out_of_memory_names_the_settings_to_change(caplog, monkeypatch, rank, logged):
    monkeypatch.setattr("tumorseg.cli.console.logger.propagate", True)
    monkeypatch.setenv("RANK", str(rank))
    with (
        pytest.raises(DeviceMemoryError, match=r"on 1 x 16x16x16 voxels .*training\.gradient_checkpointing to true"),
        explain_out_of_memory(recipe(), CPU),
    ):
        raise torch.OutOfMemoryError
    assert ("gradient_checkpointing" in caplog.text) == logged


def test_the_needed_memory_is_logged(caplog, monkeypatch):
    monkeypatch.setattr("tumorseg.cli.console.logger.propagate", True)
    with caplog.at_level("INFO"):
        require_memory(recipe(), CPU)
    assert "a training step needs about 0.3 GiB of the device" in caplog.text


def test_the_memory_limit_of_a_container_or_scheduler_counts(tmp_path):
    own = tmp_path / "own"
    job = tmp_path / "cgroup/slurm/job"
    job.mkdir(parents=True)
    (job / "memory.max").write_text("max\n")
    (job.parent / "memory.max").write_text("1024\n")
    own.write_text("0::/slurm/job\n")
    assert min(cgroup_limits(tmp_path / "cgroup", own)) == 1024
    old = tmp_path / "cgroup/memory/job"
    old.mkdir(parents=True)
    (old / "memory.limit_in_bytes").write_text("512\n")
    own.write_text("7:cpu:/\n5:memory:/job\n")
    assert min(cgroup_limits(tmp_path / "cgroup", own)) == 512
    assert min(cgroup_limits(tmp_path / "cgroup", tmp_path / "none")) > 2**60


@pytest.mark.parametrize(("steps", "kept"), [(2, False), (8, True)])
def test_freed_memory_is_kept_only_if_memory_is_ample(monkeypatch, steps, kept):
    calls = []
    monkeypatch.setattr("tumorseg.training.step_memory.keep_freed_memory", lambda: calls.append(1))
    monkeypatch.setattr(
        "tumorseg.training.step_memory._device_bytes_per_process", lambda _: steps * peak_bytes(recipe(), torch.float32)
    )
    require_memory(recipe(), CPU)
    assert bool(calls) == kept


def test_a_moving_average_and_deep_supervision_need_more_memory():
    plain, average, levels = (
        peak_bytes(recipe(base_channels=8, **changes), torch.float32)
        for changes in ({}, {"ema_decay": 0.9}, {"model": {"deep_supervision": True}})
    )
    assert plain < min(average, levels)


def test_variants_of_the_loss_have_an_estimate_too():
    changes = {"dice_structures": "all", "dice_absent": "ignore", "cross_entropy_weights": {"label_1": 3}}
    plain, varied = (peak_bytes(recipe(base_channels=8, **each), torch.float32) for each in ({}, changes))
    assert plain <= varied < 1.2 * plain
