"""The peak memory of a training step on a whole volume, against the estimate."""

import re
import subprocess
import sys
from collections.abc import Iterator

import torch

from tests.benchmarks.timing import Figure
from tests.support.builders import recipe
from tumorseg.networks.memory import GIB
from tumorseg.training.step_memory import peak_bytes

_STEP = """
import sys, torch
from tests.support.builders import recipe
from tumorseg.networks.devices import Execution
from tumorseg.training.losses import LossModule, LossTerms
from tumorseg.training.checkpoint import TrainingState
torch.set_num_threads(2)
cpu = Execution(torch.device("cpu"), torch.float32)
settings = recipe(base_channels=16, input_shape=[240, 240, 160], gradient_checkpointing=sys.argv[1] == "True")
state = TrainingState.initial(settings, 0, cpu)
images = cpu.place(torch.randn(1, 4, 240, 240, 160))
masks = torch.randint(0, 3, (1, 240, 240, 160))
for _ in range(2):
    state.optimizer.zero_grad()
    LossModule(state.network, cpu, LossTerms.from_recipe(state.recipe))(images, masks).backward()
    state.optimizer.step()
print(open("/proc/self/status").read())
"""


def figures() -> Iterator[Figure]:
    """Yield GiB and the error of the estimate. Each step runs in its own process."""
    for checkpointing, most in ((False, 9.5), (True, 6.3)):
        command = [sys.executable, "-c", _STEP, str(checkpointing)]
        status = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        measured = int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024
        settings = recipe(base_channels=16, input_shape=[240, 240, 160], gradient_checkpointing=checkpointing)
        what = f"240x240x160x4, base 16, gradient checkpointing {'on' if checkpointing else 'off'}"
        yield Figure(f"peak memory of a step, {what}", measured / GIB, "GiB", most=most)
        error = abs(peak_bytes(settings, torch.float32) / measured - 1)
        yield Figure("  the estimate is off by", 100 * error, "%", most=15)
