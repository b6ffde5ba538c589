"""Training steps: skipped, clipped, scaled, averaged."""

import math
import re

import pytest
import torch

from tests.support.builders import make_fold_data, recipe
from tumorseg.errors import UserError
from tumorseg.networks.devices import Execution
from tumorseg.training.batches import iterate_batches
from tumorseg.training.checkpoint import TrainingState
from tumorseg.training.losses import LossModule, LossTerms
from tumorseg.training.trainer import start_state, train_epoch

pytestmark = pytest.mark.usefixtures("one_thread")
CPU = Execution(torch.device("cpu"), torch.float32)


def one_epoch(state, batches, steps, execution):
    return train_epoch(
        state, LossModule(state.network, execution, LossTerms.from_recipe(state.recipe)), batches, steps, execution
    )


def batches_with_infinity(cases, *steps):
    """Yield batches; those at `steps` hold an infinity."""
    for step, batch in enumerate(iterate_batches(cases, recipe(steps_per_epoch=5).training, 0, 1), start=1):
        if step in steps:
            batch.images[0, 0, 0, 0, 0] = float("inf")
        yield batch


def test_a_step_with_a_non_finite_loss_is_logged_skipped_and_counted(cases, caplog, monkeypatch):
    monkeypatch.setattr("tumorseg.cli.console.logger.propagate", True)
    state = TrainingState.initial(recipe(steps_per_epoch=5), 0, CPU)
    trained = one_epoch(state, batches_with_infinity(cases, 2, 4), 5, CPU)
    assert (trained["steps"], trained["nonfinite_steps"]) == (5, 2)
    assert math.isfinite(trained["train_loss"])
    assert re.search(r"the loss is nan at step 2 of epoch 1 \(cases: case-\d\): this step is skipped", caplog.text)
    assert all(torch.isfinite(tensor).all() for tensor in state.network.state_dict().values())


def test_a_skipped_step_changes_nothing(cases):
    states = [TrainingState.initial(recipe(steps_per_epoch=5), 0, CPU) for _ in range(2)]
    one_epoch(states[0], batches_with_infinity(cases, 5), 5, CPU)
    one_epoch(states[1], list(batches_with_infinity(cases))[:4], 5, CPU)
    for one, other in zip(*(state.network.state_dict().values() for state in states), strict=True):
        assert torch.equal(one, other)


def test_consecutive_non_finite_losses_stop_the_training_and_are_located(cases):
    state = TrainingState.initial(recipe(steps_per_epoch=5), 0, CPU)
    with pytest.raises(UserError, match=r"loss is nan at step 4 of epoch 1 \(cases: case-\d\), .* non-finite loss: 3"):
        one_epoch(state, batches_with_infinity(cases, 2, 3, 4, 5), 5, CPU)


def test_an_epoch_without_a_finite_loss_stops_the_training(cases):
    state = TrainingState.initial(recipe(steps_per_epoch=1), 0, CPU)
    with pytest.raises(UserError, match="loss is nan at step 1 of epoch 1"):
        one_epoch(state, batches_with_infinity(cases, 1), 1, CPU)


def test_weight_decay_shrinks_the_weights(cases):
    def norm(decay):
        settings = recipe(weight_decay=decay, steps_per_epoch=2, learning_rate=0.1)
        state = TrainingState.initial(settings, 0, CPU)
        one_epoch(state, iterate_batches(cases, settings.training, 0, 1), 2, CPU)
        return sum(float(weight.detach().norm()) for weight in state.network.parameters())

    assert norm(1.0) < 0.95 * norm(0)


def test_a_clipped_gradient_changes_the_weights_less(cases):
    def change(clip):
        settings = recipe(gradient_clip=clip, steps_per_epoch=1)
        state = TrainingState.initial(settings, 0, CPU)
        state.optimizer = torch.optim.SGD(state.network.parameters(), lr=1)  # Adam rescales gradients
        before = state.network.heads[0].weight.clone()
        one_epoch(state, iterate_batches(cases, settings.training, 0, 1), 1, CPU)
        return (state.network.heads[0].weight - before).norm()

    assert 0 < change(1e-4) < 1e-2 * change(None)


def test_fp16_trains_with_gradient_scaling(cases):
    half = Execution(torch.device("cpu"), torch.float16)
    settings = recipe(precision="fp16", steps_per_epoch=1, batch_size=2)
    state = TrainingState.initial(settings, 0, half)
    before = state.network.heads[0].weight.clone()
    assert state.scaler.get_scale() > 1
    trained = one_epoch(state, iterate_batches(cases, settings.training, 0, 1), 1, half)
    assert trained["skipped_steps"] + (not torch.equal(state.network.heads[0].weight, before)) == 1
    assert state.network.heads[0].weight.dtype == torch.float32


def test_bf16_trains_without_gradient_scaling(cases):
    execution = Execution(torch.device("cpu"), torch.bfloat16)
    settings = recipe(precision="bf16", steps_per_epoch=2, input_shape=[24, 24, 24])
    state = start_state(settings, make_fold_data(), execution, None, 0)
    before = state.network.heads[0].weight.clone()
    dtypes = []
    state.network.heads[0].register_forward_hook(lambda _module, _inputs, output: dtypes.append(output.dtype))
    trained = one_epoch(state, iterate_batches(cases, settings.training, 0, 1), 2, execution)
    assert dtypes == [torch.bfloat16] * 2
    assert not torch.equal(state.network.heads[0].weight, before)
    assert state.network.heads[0].weight.dtype == torch.float32
    assert (trained["skipped_steps"], trained["nonfinite_steps"]) == (0, 0)


def test_the_eval_network_has_the_moving_average_of_the_weights(cases):
    settings = recipe(ema_decay=0.15, steps_per_epoch=1)
    state = TrainingState.initial(settings, 0, CPU)
    weights = []
    for epoch in range(1, 4):
        one_epoch(state, iterate_batches(cases, settings.training, 0, epoch), 1, CPU)
        weights.append(state.network.heads[0].weight.clone())
    # From the second step on the decay is 0.15, the smaller of 0.15 and (1 + n) / (10 + n).
    expected = 0.15 * (0.15 * weights[0] + 0.85 * weights[1]) + 0.85 * weights[2]
    torch.testing.assert_close(state.eval_network.heads[0].weight, expected)


def test_the_moving_average_forgets_the_initial_weights_after_a_few_steps(cases):
    settings = recipe(ema_decay=0.999, steps_per_epoch=12)
    state = TrainingState.initial(settings, 0, CPU)
    one_epoch(state, iterate_batches(cases, settings.training, 0, 1), 12, CPU)
    initial = TrainingState.initial(settings, 0, CPU).network.heads[0].weight
    current, average = state.network.heads[0].weight, state.eval_network.heads[0].weight
    assert (average - current).norm() < 0.5 * (initial - current).norm()


def test_a_step_skipped_by_the_scaler_does_not_change_the_average(cases):
    half = Execution(torch.device("cpu"), torch.float16)
    settings = recipe(precision="fp16", ema_decay=0.9, steps_per_epoch=1)
    state = TrainingState.initial(settings, 0, half)
    state.scaler.load_state_dict({**state.scaler.state_dict(), "scale": 2.0**100})  # every gradient overflows
    trained = one_epoch(state, iterate_batches(cases, settings.training, 0, 1), 1, half)
    assert (trained["skipped_steps"], int(state.ema.n_averaged)) == (1, 0)
