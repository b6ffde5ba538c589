"""Read and validate the configuration and its task before anything is planned."""

import gc
import os
import sys
from pathlib import Path

import yaml
from snakemake.utils import update_config

# By default, Python searches for garbage after every 700 new objects. Planning makes many objects and keeps them.
gc.set_threshold(20_000)

from tumorseg.cli.startup import require_utf8

require_utf8(workflow.overwrite_workdir)

from tumorseg.cli.startup import lock_run_folder
from tumorseg.configuration.command_line import coerce_to_schema, expand_short_forms
from tumorseg.configuration.constraints import contradiction_errors
from tumorseg.configuration.schema_validation import duplicate_keys, schema_errors
from tumorseg.configuration.settings import Settings
from tumorseg.configuration.task_validation import fill_task_defaults, load_configured_task, task_contradiction_errors
from tumorseg.errors import UserError

if workflow.modifier.path_modifier.replace_prefix("results/report.html") != "results/report.html":
    raise SystemExit(
        "module: prefix and replace_prefix do not work here, because jobs find results by their paths; leave them out, "
        "and choose the folder with `workdir:` or --directory"
    )


def schema_of(name):
    """Return a schema of the workflow."""
    return yaml.safe_load((REPOSITORY / f"workflow/schemas/{name}.schema.yaml").read_text(encoding="utf-8"))


def input_configuration():
    """Return the configuration. In a module: the importing workflow's values over the defaults of config.yaml."""
    if workflow.modifier.is_main_snakefile():
        return config
    content = yaml.safe_load((REPOSITORY / "config.yaml").read_text(encoding="utf-8"))
    update_config(content, config)
    return content


def validated_configuration():
    """Return the validated configuration and its task. Stop with one sentence for each mistake."""
    schema, task = schema_of("config"), None
    try:
        configuration = coerce_to_schema(
            expand_short_forms(input_configuration(), workflow.config_settings.config or {}), schema
        )
        mistakes = [
            f"{file}: {repeated}"
            for file in map(Path, workflow.configfiles)
            for repeated in duplicate_keys(file.read_text(encoding="utf-8"))
        ]
    except ValueError as error:
        raise SystemExit(f"{error}") from None
    if not (mistakes := [*mistakes, *schema_errors(configuration, schema)]):
        try:
            task = load_configured_task(configuration["cohort"], schema_of("task"))
            mistakes = [*task_contradiction_errors(configuration, task), *contradiction_errors(configuration, task)]
        except UserError as error:
            mistakes = [f"{error}"]
    if mistakes:
        # SystemExit here and below: Snakemake would print any other exception with a traceback.
        raise SystemExit("\n".join(["The configuration has mistakes:", *mistakes]))
    return fill_task_defaults(configuration, task), task


# Snakemake refuses to make files that another run makes, but cannot tell whether that run is still alive.
if workflow.is_main_process and (_other := lock_run_folder(Path(".snakemake/running"))):
    print(
        f"Process {_other} is already running Snakemake in this folder, {Path.cwd()}. Two runs must not make the same "
        "files: if this run is refused, start it again when the other has ended.",
        file=sys.stderr,
    )
# A new dictionary: in a module, `config` belongs to the importing workflow.
config, TASK = validated_configuration()
SETTINGS = Settings.from_config(config)
# The cases of the demo are made as prepared ones, and the images of some tasks show the whole head on purpose.
PREPARES_COHORT = SETTINGS.cohort.prepare != "none" and not config["demo"] and not TASK.whole_head
