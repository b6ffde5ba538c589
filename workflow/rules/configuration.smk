"""The configuration and its task, checked before anything is planned."""

import gc
import os
import sys
from pathlib import Path

import yaml
from snakemake.utils import update_config

# Planning makes many objects and keeps them. Python would search them for garbage after every 700 new ones.
gc.set_threshold(20_000)

from tumorseg.cli.startup import require_utf8

require_utf8(workflow.overwrite_workdir)

from tumorseg.configuration.constraints import contradiction_errors
from tumorseg.configuration.schema_validation import schema_errors
from tumorseg.configuration.task_validation import load_configured_task, fill_task_defaults, task_contradiction_errors
from tumorseg.configuration.schema_validation import duplicate_keys
from tumorseg.configuration.settings import Settings
from tumorseg.configuration.command_line import coerce_to_schema, expand_short_forms
from tumorseg.errors import UserError
from tumorseg.cli.startup import lock_run_folder

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
        asked = coerce_to_schema(
            expand_short_forms(given_configuration(), workflow.config_settings.config or {}), schema
        )
        wrong = [
            f"{file}: {repeated}"
            for file in map(Path, workflow.configfiles)
            for repeated in duplicate_keys(file.read_text(encoding="utf-8"))
        ]
    except ValueError as error:
        raise SystemExit(f"{error}") from None
    if not (wrong := [*wrong, *schema_errors(asked, schema)]):
        try:
            task = load_configured_task(asked["cohort"], schema_of("task"))
            wrong = [*task_contradiction_errors(asked, task), *contradiction_errors(asked, task)]
        except UserError as error:
            wrong = [f"{error}"]
    if wrong:
        # Not an Exception, here and below: Snakemake would bury the sentences in a traceback.
        raise SystemExit("\n".join(["The configuration has mistakes:", *wrong]))
    return fill_task_defaults(asked, task), task


# Snakemake itself refuses what two runs would both make, and cannot say whether the other is alive.
if workflow.is_main_process and (_other := lock_run_folder(Path(".snakemake/running"))):
    print(
        f"Process {_other} is a run of Snakemake in this folder already, {Path.cwd()}. Two at once must not make the same "
        "files: if this run is refused, start it again when the other has ended.",
        file=sys.stderr,
    )
# Another dictionary: that of a module is a part of the importing workflow's.
config, TASK = checked_configuration()
SETTINGS = Settings.from_config(config)
