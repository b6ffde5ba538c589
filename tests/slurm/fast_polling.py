"""Snakemake that looks every second at what has become of a job; the plugin waits longer each time, up to 3 minutes."""

import asyncio

from snakemake.cli import main
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor


async def nap(executor: RemoteExecutor) -> None:  # noqa: ARG001
    """What an executor does between two looks."""
    await asyncio.sleep(1)


RemoteExecutor.sleep = nap
main()
