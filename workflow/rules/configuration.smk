"""The configuration, checked before anything is planned, and the environment of all jobs."""

import gc
import os
import sys
from pathlib import Path

import yaml

# Planning makes many objects and keeps them. Python would search them for garbage after every 700 new ones.
gc.set_threshold(20_000)

SCRIPTS = Path(workflow.basedir, "scripts")
sys.path.insert(0, str(SCRIPTS))

from tumorseg.utf8 import insist_on_utf8

insist_on_utf8(workflow.overwrite_workdir)

from tumorseg.configuration.limits import contradictions
from tumorseg.configuration.mistakes import mistakes
from tumorseg.configuration.of_task import checked_task, completed, task_contradictions
from tumorseg.configuration.repeated import repeated_keys
from tumorseg.configuration.settings import Settings
from tumorseg.configuration.values import as_asked, with_short_forms
from tumorseg.console import CORES, RUN_FOLDER, WORKFLOW
from tumorseg.errors import UserError
from tumorseg.running import cache_variables, other_run


def schema_of(name):
    """A schema of the workflow."""
    return yaml.safe_load(Path(workflow.basedir, f"workflow/schemas/{name}.schema.yaml").read_text(encoding="utf-8"))


def checked_configuration():
    """The configuration as the schema asks for it, and its task. Ends with one sentence for each mistake."""
    schema, task = schema_of("config"), None
    try:
        asked = as_asked(with_short_forms(config, workflow.config_settings.config or {}), schema)
        wrong = [
            f"{file}: {repeated}"
            for file in map(Path, workflow.configfiles)
            for repeated in repeated_keys(file.read_text(encoding="utf-8"))
        ]
    except ValueError as error:
        raise SystemExit(f"{error}") from None
    if not (wrong := [*wrong, *mistakes(asked, schema)]):
        try:
            task = checked_task(asked["cohort"], schema_of("task"))
            wrong = [*task_contradictions(asked, task), *contradictions(asked, task)]
        except UserError as error:
            wrong = [f"{error}"]
    if wrong:
        # Not an Exception, here and below: Snakemake would bury the sentences in a traceback.
        raise SystemExit("\n".join(["The configuration has mistakes:", *wrong]))
    return completed(asked, task), task


# Snakemake itself refuses what two runs would both make, and cannot say whether the other is alive.
if workflow.is_main_process and (_other := other_run(Path(".snakemake/running"))):
    print(
        f"Process {_other} is a run of Snakemake in this folder already, {Path.cwd()}. Two at once must not make the same "
        "files: if this run is refused, start it again when the other has ended.",
        file=sys.stderr,
    )
_checked, TASK = checked_configuration()
# In its place, since Snakemake keeps this very dictionary.
config.clear()
config.update(_checked)
SETTINGS = Settings.of(_checked)

# Rules call `python`: let it be the one that runs Snakemake, even where its environment was not activated.
os.environ |= {"PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])}
# Where Snakemake is killed alone, its jobs end too: they would write beside those of the next run.
os.environ |= {WORKFLOW: str(os.getpid())}
# What channels, labels and names mean: for all jobs, as planned now, and too long for command lines.
os.environ |= {"TASK": TASK.to_json()}
# What the jobs of this run share.
os.environ |= {RUN_FOLDER: str(workflow.snakemake_tmp_dir)}
if workflow.resource_settings.cores:
    os.environ |= {CORES: str(workflow.resource_settings.cores)}
# Where the home folder cannot be written to.
os.environ |= cache_variables(os.environ, Path(".snakemake").absolute())
# No param: switching it on or off makes nobody train again.
os.environ |= {"EVENTS": "results/logs/tensorboard" if config["training"]["tensorboard"] else ""}
