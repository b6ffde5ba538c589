"""The configuration of a cluster of one node, with more CPUs, memory and GPUs than the machine has."""

import os
import shutil
import socket
from importlib.util import find_spec
from pathlib import Path

import psutil

CONFIG_FOLDER = Path("/etc/slurm")
"""Debian's default folder. The plugin removes all SLURM_ variables from jobs, so SLURM_CONF cannot set another one."""
FIRST_LINE = "# A temporary cluster of the tests of tumorseg, managed by process "
FILES = ("gres.conf", "slurm.conf")
CPUS, MEMORY_MB, GPUS = 4, 128000, 2


def reason_unavailable() -> str | None:
    """Return why no cluster can be started on this machine, or None if it can."""
    if os.geteuid() != 0:
        return "needs root, since Slurm's configuration is in /etc/slurm"
    if any(program(name) is None for name in ("munged", "slurmctld", "slurmd", "sbatch", "setpriv")):
        return "needs Debian's packages slurm-wlm and munge"
    if find_spec("snakemake_executor_plugin_slurm") is None:
        return "needs the packages of envs/requirements-slurm.txt"
    remove_stale()
    existing = [str(CONFIG_FOLDER / name) for name in FILES if (CONFIG_FOLDER / name).exists()]
    if existing:
        return f"{existing[0]} exists: a cluster is configured, or another test with Slurm is running"
    if "SLURM_CONF" in os.environ or "slurmd" in {process.info["name"] for process in psutil.process_iter(["name"])}:
        return "this machine belongs to a cluster with its configuration in another folder"
    return None


def program(name: str) -> str | None:
    """Return the path of a program, also in the administrator's folders outside PATH."""
    return shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")


def remove_stale() -> None:
    """Remove the configuration of a test cluster whose managing process was killed."""
    slurm_conf_file = CONFIG_FOLDER / "slurm.conf"
    first = slurm_conf_file.read_text().partition("\n")[0] if slurm_conf_file.exists() else ""
    if first.startswith(FIRST_LINE) and not Path("/proc", first.removeprefix(FIRST_LINE)).exists():
        remove()


def remove() -> None:
    """Remove the configuration."""
    for name in FILES:
        (CONFIG_FOLDER / name).unlink(missing_ok=True)


def write(folder: Path) -> None:
    """Write the configuration of a cluster whose files are in `folder`.

    Raises:
        FileExistsError: the machine already has a configuration.
    """
    CONFIG_FOLDER.mkdir(exist_ok=True)
    with (CONFIG_FOLDER / "slurm.conf").open("x") as file:
        file.write(slurm_conf(folder))
    host = hostname()
    lines = [f"NodeName={host} Name=gpu File={folder}/gpu{index}\n" for index in range(GPUS)]
    (CONFIG_FOLDER / "gres.conf").write_text("".join(lines))


def hostname() -> str:
    """Return the short name of the machine, which Slurm uses."""
    return socket.gethostname().partition(".")[0]


def free_port() -> int:
    """Return an unused port."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def slurm_conf(folder: Path) -> str:
    """Return a configuration without accounting, control groups and systemd. Slurm keeps finished jobs for an hour."""
    host = hostname()
    return f"""{FIRST_LINE}{os.getpid()}
ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={free_port()}
SlurmdPort={free_port()}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CryptoType=crypto/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
TaskProlog={folder}/task-prolog
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,bf_interval=1,sched_interval=1
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
MinJobAge=3600
KillWait=2
MailProg=/bin/true
GresTypes=gpu
NodeName={host} NodeAddr=127.0.0.1 CPUs={CPUS} RealMemory={MEMORY_MB} Gres=gpu:{GPUS} State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""
