"""All checks, in the order in which they run."""

from collections.abc import Iterator, Sequence
from functools import partial

from tests.gpu_check.check import Check
from tests.gpu_check.checks import demo, deterministic, device, loading, prediction, steps
from tests.gpu_check.scale import Scale
from tumorseg.errors import UserError
from tumorseg.networks.devices import DTYPES

PRECISIONS = tuple(DTYPES)


def all_checks(scale: Scale) -> list[Check]:
    """Return the checks: quick ones first, then the demo, then the measurements."""
    return [*_quick_checks(), *_demo_checks(scale), *_measurements(scale)]


def _quick_checks() -> Iterator[Check]:
    yield Check("device", "PyTorch computes on the device, and a product of matrices is exact", device.check_device)
    for precision in PRECISIONS:
        yield Check(
            f"agreement-{precision}",
            f"A mask that is computed in {precision} agrees with that of a CPU in fp32",
            partial(prediction.check_agreement, precision=precision),
        )
    yield Check(
        "pinned-batches",
        "Batches are in pinned memory, and the program does not wait while they are copied",
        loading.check_pinned_batches,
    )
    yield Check(
        "prediction-waits",
        f"A prediction waits for the GPU at most {prediction.WAITS} times a case, however many windows it has",
        prediction.check_waits,
    )
    yield Check(
        "too-little-memory",
        "With too little memory, a prediction uses sliding windows, and a training names the settings to change",
        prediction.check_too_little_memory,
    )
    yield Check(
        "deterministic-options",
        "With training.deterministic, all options of a training run and give the same bits twice",
        deterministic.check_options,
    )


def _demo_checks(scale: Scale) -> Iterator[Check]:
    dice = "" if scale.reduced else ", with the Dice that a CPU reaches"
    yield Check("demo", f"The workflow runs on the demo cohort in fp16 (on a CPU: fp32){dice}", demo.check_demo)
    yield Check(
        "demo-repeated", "With training.deterministic, a second training gives the same bits", demo.check_repeated
    )
    yield Check(
        "demo-resumed", "With training.deterministic, a resumed training gives the same bits", demo.check_resumed
    )
    yield Check(
        "demo-default",
        f"Without training.deterministic, the loss of a second training differs by at most {demo.SIMILAR:.0%}, and "
        "that of a deterministic one too",
        demo.check_default,
    )
    yield Check(
        "two-gpus",
        "Two GPUs (on a CPU: two processes) train together, and the loss differs from that on one by at most "
        f"{demo.SIMILAR_ON_TWO:.0%}",
        demo.check_two,
    )


def _measurements(scale: Scale) -> Iterator[Check]:
    shape = "x".join(map(str, scale.volume))
    near = "" if scale.reduced else ", and its memory is near the estimate"
    for base in scale.base_channels:
        for precision in PRECISIONS:
            yield Check(
                f"step-{base}-{precision}",
                f"A training step on {shape}x4 voxels with {base} base channels runs in {precision}{near}",
                partial(steps.measure_step, base_channels=base, precision=precision),
            )
    time = "runs" if scale.reduced else f"takes at most {loading.SLOWDOWN} times its steps alone"
    yield Check("loading", f"An epoch, reading batches included, {time}", loading.measure_loading)
    yield Check("augmentation", "Augmented patches are finite", loading.measure_augmentation)
    for base in scale.base_channels:
        yield Check(
            f"prediction-{base}",
            f"A case is predicted with {base} base channels{near}",
            partial(prediction.measure_prediction, base_channels=base),
        )


def choose(checks: Sequence[Check], names: Sequence[str]) -> list[Check]:
    """Return the checks whose names begin with one of some names; all without names.

    Raises UserError if a name fits no check.
    """
    if unknown := [name for name in names if not any(check.name.startswith(name) for check in checks)]:
        known = ", ".join(check.name for check in checks)
        raise UserError(f"there is no check {', '.join(unknown)}; the checks are {known}")
    return [check for check in checks if not names or check.name.startswith(tuple(names))]
