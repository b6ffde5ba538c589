"""Set the environment variables of jobs, divide the cases into shards, and define the inputs that rules share.

Each shard of the cases is for one job. The file also checks the user's split file and the cases of the viewer.

The wildcard {batch} and the rules validate_batch, normalise_batch and segment_batch keep their old names, which users
have in paths and commands. They mean a shard of the cases, not a batch of training patches. The folder of validation
results, results/cohort/verdicts, keeps its name too, so that results of earlier runs are found.
"""

import json
import os
import sys
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path

from tumorseg.cli.console import CORES, RUN_FOLDER, WORKFLOW
from tumorseg.cli.startup import cache_variables, shell_exports
from tumorseg.cohort.case_files import CaseFiles, case_to_json, shard_of
from tumorseg.configuration.constraints import fold_count_error, require_table, unknown_viewer_cases_error
from tumorseg.demo.plan import plan_cases
from tumorseg.errors import UserError
from tumorseg.io.files import read_json, require_regular_file, write_text

FOLDS = range(SETTINGS.cohort.folds)
# Returns the name of a rule on the command line. It has a prefix if this workflow is imported as a module.
target_name = workflow.modifier.modify_rulename

# Variables that the commands of jobs use. They keep long values out of the commands, and also paths: Snakemake records
# commands, so with a path in them, a moved run would start again. Variables trigger no rerun: a rule whose result
# depends on one also has its value as a param.
COMMAND_VARIABLES = {
    "SCRIPTS": str(SCRIPTS),
    "COHORT": str(ROOT),
    "TASK": TASK.to_json(),
    "CONFIGURATION": json.dumps(CONFIGURATION, sort_keys=True),
    "CODES": CODES,
    # Folder of TensorBoard's event files, or empty. Not a param: toggling TensorBoard must not retrain.
    "EVENTS": "results/logs/tensorboard" if config["training"]["tensorboard"] else "",
    # The model to start from, a path or `starter`, or empty. Not a param: its content is one.
    "START_FROM": config["training"]["start_from"] or "",
    # The sizes of the learning curve, to refuse too large ones before the first training, and the records of all its
    # models, to log the progress. Not a param: a new seed must not repeat the trainings of the others.
    "CURVE_PLAN": json.dumps(
        {
            "sizes": config["learning_curve"]["cases"],
            "records": curve_files("model/fold-{fold}.json", fold=FOLDS),
        }
    ),
    # Makes `python` in commands the one that runs Snakemake, even if its environment is not activated.
    "PATH": os.pathsep.join(
        dict.fromkeys([str(Path(sys.executable).parent), *os.environ.get("PATH", os.defpath).split(os.pathsep)])
    ),
}
# Variables that affect how jobs run, but not their results. `require_utf8` has already set another one, PYTHONUTF8.
RUN_VARIABLES = {
    # Jobs end when this process ends. After a killed Snakemake they must not write beside the jobs of the next run.
    WORKFLOW: str(os.getpid()),
    # A folder in which a job notes that it has printed a message that others need not repeat.
    RUN_FOLDER: str(workflow.snakemake_tmp_dir),
    # CPU cores that all jobs share, if a number is set.
    **({CORES: str(workflow.resource_settings.cores)} if workflow.resource_settings.cores else {}),
    # A folder for Matplotlib's cache if the home folder is read-only.
    **cache_variables(os.environ, Path(".snakemake").absolute()),
}
if os.environ.get(RUN_FOLDER) == RUN_VARIABLES[RUN_FOLDER] and not COMMAND_VARIABLES.items() <= os.environ.items():
    raise SystemExit(
        "This workflow is imported twice, with different settings, but its jobs share one environment. Run Snakemake "
        "once for each import, in separate folders (--directory)."
    )
os.environ |= COMMAND_VARIABLES | RUN_VARIABLES
if workflow.is_main_process:
    with suppress(OSError, UserError):  # a dry run works in a read-only folder too
        write_text(Path(".snakemake/environment.sh"), shell_exports(COMMAND_VARIABLES))


wildcard_constraints:
    batch=r"(batch|prepared)-\d+",
    fold=r"\d+",
    epoch=r"\d{4}",


def settings_with_patient_source(**sections):
    """Return `settings` with the source of the patients, for rules that warn if it is only the case names."""
    return lambda wildcards: json.dumps({**sections, "patient": explicit_patient_source()}, sort_keys=True)


def user_split_file():
    """Return the user's split file in a list; an empty list if the workflow makes the split.

    Stop with a message if the split file is invalid, or if there are fewer cases than folds.
    """
    file = SETTINGS.cohort.split_file
    if file is None:
        cases = sum(map(len, cases_by_shard().values()))
        if wrong := fold_count_error(SETTINGS.cohort.folds, cases, COHORT_NAME):
            raise SystemExit(wrong)
        return []
    try:
        require_table("cohort.split_file", Path(file), written=Path("results/cohort/splits.tsv"), rule="split")
    except UserError as error:
        raise SystemExit(f"{error}") from None
    return [file]


def user_exclude_file():
    """Return the user's list of cases to exclude in a list, or an empty list. Stop with a message if it is missing."""
    if SETTINGS.cohort.exclude is None:
        return []
    file = Path(SETTINGS.cohort.exclude)
    try:
        require_table("cohort.exclude", file, written=Path("results/cohort/manifest.tsv"), rule="manifest")
    except UserError as error:
        raise SystemExit(f"{error}") from None
    return [str(file)]


def require_viewer_cases(wildcards):
    """Return no files. Stop with a message if a case of `report.viewer_cases` does not exist."""
    requested = SETTINGS.report.viewer_cases
    available = [case.case for cases in cases_by_shard().values() for case in cases]
    if isinstance(requested, tuple) and (wrong := unknown_viewer_cases_error(requested, available, COHORT_NAME)):
        raise SystemExit(wrong)
    return []


def require_valid_split_file(wildcards):
    """Return no files. Stop with a message if the user's split file is invalid.

    The split file itself is not an input: Snakemake would compare its date.
    """
    user_split_file()
    return []


def demo_cases():
    """Return the planned cases of the demo cohort; none for other cohorts."""
    return plan_cases(config["demo"], TASK) if config["demo"] else []


@cache
def cases_by_shard():
    """Return the cases of each non-empty shard, from the cohort's folder and, for the demo cohort, from its plan."""
    cases = {case.case: case for case in discovered_cases()}
    for planned in demo_cases():
        # Files that a user has added to the demo's folder, for instance to repair a case, count too.
        on_disk = cases[planned.case].files if planned.case in cases else {}
        cases[planned.case] = CaseFiles(
            planned.case, {role: (name,) for role, name in planned.files.items()} | on_disk, planned.folder
        )
    shards = {}
    for _, case in sorted(cases.items()):
        shards.setdefault(cohort_shard_of(case.case), []).append(case)
    return dict(sorted(shards.items()))


def shard_cases(wildcards):
    """Return the cases of a shard, each as a JSON string with the role and relative path of every file."""
    return [case_to_json(case) for case in cases_by_shard()[wildcards.batch]]


def validation_result_files(wildcards):
    """Return the files of validation results of all shards."""
    return expand("results/cohort/verdicts/{batch}.json", batch=cases_by_shard())


def preview_files(wildcards):
    """Return the files of case previews of all shards."""
    return expand("results/cohort/previews/{batch}.safetensors", batch=cases_by_shard())


def normalised_shards(wildcards):
    """Return the folders of normalised cases of all shards."""
    return expand("results/normalised/{batch}", batch=cases_by_shard())


def raw_file_identities(wildcards, input):
    """Return the inode and change time of each raw file of a shard, for the key of the between-workflow cache.

    The function has the parameter `input` because a param that uses it triggers no rerun; `changed_files` triggers one.
    The demo's files do not exist yet.
    """
    if config["demo"]:
        return []
    files = [os.path.join(ROOT, path) for case in cases_by_shard()[wildcards.batch] for path in case.paths()]
    statuses = map(file_status, files)
    return [[status.st_ino, status.st_ctime_ns] if status else None for status in statuses]


def require_several_folds(wildcards):
    """Return no files. Stop with a message if there is only one fold."""
    if len(FOLDS) < 2:
        raise SystemExit(
            f"cohort.folds: {target_name('postprocessing')} compares settings on the held-out cases of several folds, "
            "but there is only 1; set it to 3 or 5, which trains a model for each fold"
        )
    return []
