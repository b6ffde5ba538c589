"""The machine of a check: GPU, driver, versions. Nothing here uses CUDA, which would take memory of the GPU."""

import subprocess
from datetime import UTC, datetime

import torch

from tests.support.builders import REPOSITORY
from tumorseg.provenance.run_facts import run_facts

_QUERY = ("name", "driver_version", "memory.total", "compute_cap")


def machine_facts() -> dict[str, str]:
    """Return what a reader must know about the machine, by title."""
    facts = run_facts(REPOSITORY, datetime.now(UTC))
    return {
        "GPUs (name, driver, memory, compute capability)": gpus(),
        "CUDA and cuDNN of PyTorch": f"{torch.version.cuda or 'none'}, {torch.backends.cudnn.version() or 'none'}",
        "Versions": ", ".join(f"{name} {version}" for name, version in facts.versions.items()),
        "Machine": facts.machine,
        "Commit": facts.commit,
        "Started": facts.made,
    }


def gpus() -> str:
    """Return the GPUs that the driver lists, or why there are none."""
    command = ["nvidia-smi", f"--query-gpu={','.join(_QUERY)}", "--format=csv,noheader"]
    try:
        listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except FileNotFoundError:
        return "unknown: nvidia-smi is not installed"
    except subprocess.CalledProcessError as error:
        return f"unknown: nvidia-smi failed ({(error.stderr or error.stdout).strip()})"
    return "; ".join(listed.strip().splitlines())
