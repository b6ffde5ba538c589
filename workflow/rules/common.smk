"""What the rules share: the environment of their jobs, the cases and their batches."""

import json
import os
import sys
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path

from tumorseg.cohort.case_files import shard_of
from tumorseg.cohort.case_files import CaseFiles, case_to_json
from tumorseg.configuration.constraints import fold_count_error, unknown_viewer_cases_error
from tumorseg.configuration.constraints import require_table
from tumorseg.cli.console import CORES, RUN_FOLDER, WORKFLOW
from tumorseg.demo.plan import plan_cases
from tumorseg.errors import UserError
from tumorseg.io.files import read_json, require_regular_file, write_text
from tumorseg.cli.startup import shell_exports, cache_variables

FOLDS = range(SETTINGS.cohort.folds)
# Returns the name of a rule on the command line. It has a prefix if this workflow is imported as a module.
target_name = workflow.modifier.modify_rulename

# The environment of all jobs: every variable is set here. Commands name the first group, for two reasons. Texts of
# thousands of characters would make commands unreadable. Snakemake records commands, and a record with the place of the
# repository or of the data would make a finished run start again when it is moved. The environment itself starts nothing
# again: a rule whose result depends on a variable has its content as a param too.
NAMED_IN_COMMANDS = {
    "SCRIPTS": str(SCRIPTS),
    "COHORT": str(ROOT),
    "TASK": TASK.to_json(),
    "CONFIGURATION": json.dumps(CONFIGURATION, sort_keys=True),
    "CODES": CODES,
    # The folder of TensorBoard's files, or nothing. Not a param: switching it on or off must not train again.
    "EVENTS": "results/logs/tensorboard" if config["training"]["tensorboard"] else "",
    # Commands call `python`: it is the one that runs Snakemake, even where its environment was not activated.
    "PATH": os.pathsep.join(
        dict.fromkeys([str(Path(sys.executable).parent), *os.environ.get("PATH", os.defpath).split(os.pathsep)])
    ),
}
# The second group concerns the run and no result. So does PYTHONUTF8, which `require_utf8` has set before all else.
OF_THIS_RUN = {
    # Jobs end when this process does. If Snakemake is killed alone, they must not write beside those of the next run.
    WORKFLOW: str(os.getpid()),
    # A folder in which jobs note what one of them has said for all.
    RUN_FOLDER: str(workflow.snakemake_tmp_dir),
    # CPU cores that the jobs share, where a number is given.
    **({CORES: str(workflow.resource_settings.cores)} if workflow.resource_settings.cores else {}),
    # A place for Matplotlib's cache, if the home folder cannot be written to.
    **cache_variables(os.environ, Path(".snakemake").absolute()),
}
if os.environ.get(RUN_FOLDER) == OF_THIS_RUN[RUN_FOLDER] and not NAMED_IN_COMMANDS.items() <= os.environ.items():
    raise SystemExit(
        "This workflow is imported twice, with different settings. Its jobs would not know which are theirs: run "
        "Snakemake once for each, in a folder of its own (--directory)."
    )
os.environ |= NAMED_IN_COMMANDS | OF_THIS_RUN
if workflow.is_main_process:
    with suppress(OSError, UserError):  # a folder that cannot be written to can be planned in
        write_text(Path(".snakemake/environment.sh"), shell_exports(NAMED_IN_COMMANDS))


wildcard_constraints:
    batch=r"batch-\d+",
    fold=r"\d+",
    epoch=r"\d{4}",


def settings_with_patient(**sections):
    """As `settings`, with `patient` as `who_says_patients` gives it, for rules that doubt patients found by name."""
    return lambda wildcards: json.dumps({**sections, "patient": who_says_patients()}, sort_keys=True)


def own_split_file():
    """The user's own table of folds, in a list; an empty list where the workflow makes the split."""
    file = SETTINGS.cohort.split_file
    if file is None:
        cases = sum(map(len, cases_by_batch().values()))
        if wrong := fold_count_error(SETTINGS.cohort.folds, cases, COHORT_NAME):
            raise SystemExit(wrong)
        return []
    try:
        require_table("cohort.split_file", Path(file), written=Path("results/cohort/splits.tsv"), rule="split")
    except UserError as error:
        raise SystemExit(f"{error}") from None
    return [file]


def viewer_cases_exist(wildcards):
    """No files. Ends with a sentence where a case that the report shall show has no folder."""
    named = SETTINGS.report.viewer_cases
    there = [case.case for cases in cases_by_batch().values() for case in cases]
    if isinstance(named, tuple) and (wrong := unknown_viewer_cases_error(named, there, COHORT_NAME)):
        raise SystemExit(wrong)
    return []


def checked_split_file(wildcards):
    """No input, since Snakemake would go by the table's date; asked for so that mistakes are told before any job."""
    own_split_file()
    return []


def demo_cases():
    """The planned cases of the demo cohort; none of other cohorts."""
    return plan_cases(config["demo"], TASK) if config["demo"] else []


@cache
def cases_by_batch():
    """The cases of each batch that has any, read from the cohort's folder and, for the demo cohort, from its plan."""
    cases = {case.case: case for case in found_cases()}
    for planned in demo_cases():
        # What a user has added to the demo's folder, for instance to repair a case, counts too.
        there = cases[planned.case].files if planned.case in cases else {}
        cases[planned.case] = CaseFiles(
            planned.case, {role: (name,) for role, name in planned.files.items()} | there, planned.folder
        )
    batches = {}
    for _, case in sorted(cases.items()):
        batches.setdefault(shard_of(case.case, SETTINGS.cohort.shards), []).append(case)
    return dict(sorted(batches.items()))


def batch_cases(wildcards):
    """The cases of one batch with the role and relative name of each file, a JSON string a case."""
    return [case_to_json(case) for case in cases_by_batch()[wildcards.batch]]


def verdict_files(wildcards):
    """The verdicts of all batches."""
    return expand("results/cohort/verdicts/{batch}.json", batch=cases_by_batch())


def preview_files(wildcards):
    """The small pictures of the cases of all batches."""
    return expand("results/cohort/previews/{batch}.safetensors", batch=cases_by_batch())


def normalised_batches(wildcards):
    """The folders of normalised cases."""
    return expand("results/normalised/{batch}", batch=cases_by_batch())


def raw_identity(wildcards, input):
    """The inode and change time of each raw file of a batch, for the key of the between-workflow cache.

    As this asks for `input`, another value reruns nothing: `changed_files` does that. The demo's files do not exist yet.
    """
    if config["demo"]:
        return []
    files = [os.path.join(ROOT, path) for case in cases_by_batch()[wildcards.batch] for path in case.paths()]
    statuses = map(file_status, files)
    return [[status.st_ino, status.st_ctime_ns] if status else None for status in statuses]
