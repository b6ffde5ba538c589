"""What the rules share: the cases and their batches, settings and code as params."""

import json
import os
from functools import cache
from importlib.metadata import version
from pathlib import Path

from tumorseg.codedigest.digest import CodeDigests
from tumorseg.cohort.batches import batch_of
from tumorseg.cohort.case_files import CaseFiles, to_json
from tumorseg.configuration.limits import too_many_folds, unknown_cases
from tumorseg.configuration.tables import require_table
from tumorseg.demo.layout import planned_cases
from tumorseg.errors import UserError
from tumorseg.files import read_json, require_regular_file
from tumorseg.task import known_signs
from tumorseg.training import epochs

# Commands name both by variable: neither the place of the repository nor that of the data stands in what Snakemake
# records, so that a finished run can be moved.
os.environ |= {"SCRIPTS": str(SCRIPTS), "COHORT": str(ROOT)}
FOLDS = range(SETTINGS.cohort.folds)


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
        if wrong := too_many_folds(SETTINGS.cohort.folds, cases, COHORT_NAME):
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
    if isinstance(named, tuple) and (wrong := unknown_cases(named, there, COHORT_NAME)):
        raise SystemExit(wrong)
    return []


def checked_split_file(wildcards):
    """No input, since Snakemake would go by the table's date; asked for so that mistakes are told before any job."""
    own_split_file()
    return []


def demo_cases():
    """The planned cases of the demo cohort; none of other cohorts."""
    return planned_cases(config["demo"], TASK) if config["demo"] else []


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
        batches.setdefault(batch_of(case.case, SETTINGS.cohort.batches), []).append(case)
    return dict(sorted(batches.items()))


def batch_cases(wildcards):
    """The cases of one batch with the role and relative name of each file, a JSON string a case."""
    return [to_json(case) for case in cases_by_batch()[wildcards.batch]]


def verdict_files(wildcards):
    """The verdicts of all batches."""
    return expand("results/cohort/verdicts/{batch}.json", batch=cases_by_batch())


def preview_files(wildcards):
    """The small pictures of the cases of all batches."""
    return expand("results/cohort/previews/{batch}.safetensors", batch=cases_by_batch())


def normalised_batches(wildcards):
    """The folders of normalised cases."""
    return expand("results/normalised/{batch}", batch=cases_by_batch())


def checkpoint_epochs():
    """The epochs, as written in file names, after which a checkpoint is saved."""
    training = config["training"]
    return [f"{epoch:04d}" for epoch in epochs.checkpoint_epochs(training["epochs"], training["epochs_per_checkpoint"])]


def checkpoint_files(fold, suffix="pt"):
    """The checkpoints of a fold, or the files beside them of another suffix."""
    return expand(
        "results/training/fold-{fold}/epoch-{epoch}.{suffix}", fold=fold, epoch=checkpoint_epochs(), suffix=suffix
    )


def previous_file(wildcards, suffix):
    """The file of the checkpoint that a training goes on from; none for the first."""
    previous = epochs.previous_epoch(int(wildcards.epoch), config["training"]["epochs_per_checkpoint"])
    return [f"results/training/fold-{wildcards.fold}/epoch-{previous:04d}.{suffix}"] if previous else []


def previous_checkpoint(wildcards):
    """Ancient: a checkpoint that rots makes nobody delete the sound ones after it."""
    return [ancient(file) for file in previous_file(wildcards, "pt")]


def previous_done(wildcards):
    """Not ancient, and empty, so that it cannot rot: a training that is done again takes those after it along.

    (By ancient files alone it would not: in a job downstream of one that has to run, Snakemake looks for no reasons.)
    """
    return previous_file(wildcards, "done")


def raw_identity(wildcards, input):
    """The inode and change time of each raw file of a batch, for the key of the between-workflow cache.

    As this asks for `input`, another value reruns nothing: `changed_files` does that. The demo's files do not exist yet.
    """
    if config["demo"]:
        return []
    files = [os.path.join(ROOT, path) for case in cases_by_batch()[wildcards.batch] for path in case.paths()]
    statuses = map(status_of, files)
    return [[status.st_ino, status.st_ctime_ns] if status else None for status in statuses]


def settings(**sections):
    """Parts of the configuration as one JSON string: a rule's params are exactly what its result depends on.

    As a function: in a plain string Snakemake would take braces, as in a pattern such as \\d{4}, for wildcards.
    """
    return lambda wildcards: json.dumps(sections, sort_keys=True)


TASK_FACTS = json.dumps(TASK.facts(), sort_keys=True)
"""The part of the task that results depend on, a param of the rules that compute."""


def task_json(wildcards):
    """All of the task, a param of the rules whose result has its titles, colours or names of cases in it.

    As a function: in a plain string Snakemake would take a pattern such as \\d{3} for a wildcard.
    """
    return TASK.to_json()


def task_of_cases(wildcards):
    """What a verdict depends on: the task without its colours, and the signs of a case of another task."""
    content = json.loads(TASK.to_json())
    content["labels"] = [{key: label[key] for key in label if key != "colour"} for label in content["labels"]]
    return json.dumps({"task": content, "others": known_signs()}, sort_keys=True)


def only(section, *keys):
    """Some keys of a section of the configuration."""
    return {key: config[section][key] for key in keys}


def scaled(amount):
    """A resource of which each new submission of a failed job asks for more: once, twice, three times the amount."""
    return lambda wildcards, attempt: amount * attempt


CODE_DIGESTS = CodeDigests(SCRIPTS, Path(".snakemake/code_digests.json"))


def code(*scripts):
    """The digest of scripts or modules and all that they import, which Snakemake does not track."""
    return CODE_DIGESTS.of(*(SCRIPTS / f"{script}.py" for script in scripts))
