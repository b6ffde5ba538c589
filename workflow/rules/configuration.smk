"""The configuration and its task, checked before anything is planned."""

import gc
import os
import sys
from pathlib import Path

import yaml
from snakemake.utils import update_config

# Planning makes many objects and keeps them. Python would search them for garbage after every 700 new ones.
gc.set_threshold(20_000)

from tumorseg.utf8 import insist_on_utf8

insist_on_utf8(workflow.overwrite_workdir)

from tumorseg.configuration.limits import contradictions
from tumorseg.configuration.mistakes import mistakes
from tumorseg.configuration.of_task import checked_task, completed, task_contradictions
from tumorseg.configuration.repeated import repeated_keys
from tumorseg.configuration.settings import Settings
from tumorseg.configuration.values import as_asked, with_short_forms
from tumorseg.errors import UserError
from tumorseg.running import other_run

if workflow.modifier.path_modifier.replace_prefix("results/report.html") != "results/report.html":
    raise SystemExit(
        "module: prefix and replace_prefix are not possible here, since jobs find results by their paths; leave them "
        "out, and choose the folder with `workdir:` or --directory"
    )


def schema_of(name):
    """A schema of the workflow."""
    return yaml.safe_load((REPOSITORY / f"workflow/schemas/{name}.schema.yaml").read_text(encoding="utf-8"))


def given_configuration():
    """The configuration. In a module: what the importing workflow gives, completed from config.yaml."""
    if workflow.modifier.is_main_snakefile():
        return config
    content = yaml.safe_load((REPOSITORY / "config.yaml").read_text(encoding="utf-8"))
    update_config(content, config)
    return content


def checked_configuration():
    """The configuration as the schema asks for it, and its task. Ends with one sentence for each mistake."""
    schema, task = schema_of("config"), None
    try:
        asked = as_asked(with_short_forms(given_configuration(), workflow.config_settings.config or {}), schema)
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
# Another dictionary: that of a module is a part of the importing workflow's.
config, TASK = checked_configuration()
SETTINGS = Settings.of(config)
