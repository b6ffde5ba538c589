"""The configuration of a cluster of one node, with more CPUs, memory and GPUs than the machine has."""

import os
import shutil
import socket
from importlib.util import find_spec
from pathlib import Path

import psutil

PLACE = Path("/etc/slurm")
"""The plugin takes every SLURM_ variable away from its jobs, so that Slurm looks where Debian has compiled it to."""
MARK = "# A throw-away cluster of the tests of tumorseg, kept by process "
FILES = ("gres.conf", "slurm.conf")
CPUS, MEMORY_MB, GPUS = 4, 128000, 2


def hindrance() -> str | None:
    """Why no cluster can be started here; None where it can."""
    if os.geteuid() != 0:
        return "needs root, since Slurm's configuration lies in /etc/slurm"
    if any(program(name) is None for name in ("munged", "slurmctld", "slurmd", "sbatch", "setpriv")):
        return "needs Debian's packages slurm-wlm and munge"
    if find_spec("snakemake_executor_plugin_slurm") is None:
        return "needs the packages of envs/requirements-slurm.txt"
    remove_left_over()
    there = [str(PLACE / name) for name in FILES if (PLACE / name).exists()]
    if there:
        return f"{there[0]} is there already: a cluster is configured, or another test of this kind runs"
    if "SLURM_CONF" in os.environ or "slurmd" in {process.info["name"] for process in psutil.process_iter(["name"])}:
        return "this machine belongs to a cluster already, which has its configuration elsewhere"
    return None


def program(name: str) -> str | None:
    """The path of a program, also where PATH leaves out those of the administrator."""
    return shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")


def remove_left_over() -> None:
    """Remove the configuration of a cluster of ours whose keeper, and all that it had started, was killed."""
    kept = PLACE / "slurm.conf"
    first = kept.read_text().partition("\n")[0] if kept.exists() else ""
    if first.startswith(MARK) and not Path("/proc", first.removeprefix(MARK)).exists():
        remove()


def remove() -> None:
    """Remove the configuration."""
    for name in FILES:
        (PLACE / name).unlink(missing_ok=True)


def write(folder: Path) -> None:
    """Write the configuration of a cluster that keeps its files in `folder`. Raises FileExistsError where one is."""
    PLACE.mkdir(exist_ok=True)
    with (PLACE / "slurm.conf").open("x") as file:
        file.write(slurm_conf(folder))
    host = hostname()
    lines = [f"NodeName={host} Name=gpu File={folder}/gpu{index}\n" for index in range(GPUS)]
    (PLACE / "gres.conf").write_text("".join(lines))


def hostname() -> str:
    """The machine's name as Slurm takes it."""
    return socket.gethostname().partition(".")[0]


def free_port() -> int:
    """A port that nobody listens to."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def slurm_conf(folder: Path) -> str:
    """Slurm without accounting, control groups and systemd, which remembers finished jobs for an hour."""
    host = hostname()
    return f"""{MARK}{os.getpid()}
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
