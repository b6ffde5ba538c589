"""Run Snakemake with a job status check every second. The Slurm plugin itself waits up to 3 minutes."""

import asyncio

from snakemake.cli import main
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor


async def sleep_one_second(executor: RemoteExecutor) -> None:  # noqa: ARG001
    """Wait between two checks of the jobs."""
    await asyncio.sleep(1)


RemoteExecutor.sleep = sleep_one_second
main()
