"""Functions for the directives of rules: params (settings, task, code), resources, entries of Snakemake's report."""

import json
import os

from tumorseg.codedigest.digest import CodeDigests
from tumorseg.task import preparation_facts, validation_facts


def settings(**sections):
    """Return a param with parts of the configuration as one JSON string; pass exactly those that the result depends on.

    The param is a function, because Snakemake would read braces in a plain string, such as \\d{4}, as wildcards.
    """
    return lambda wildcards: json.dumps(sections, sort_keys=True)


TASK_FACTS = json.dumps(TASK.facts(), sort_keys=True)
"""The part of the task that computed results depend on."""


def task_json(wildcards):
    """Return the whole task as JSON, a param of the rules whose results contain its titles, colours or case names.

    The param is a function, because Snakemake would read braces in a plain string, such as \\d{3}, as wildcards.
    """
    return TASK.to_json()


def validation_task(wildcards):
    """Return the part of the task that validation depends on. A function for the reason given in `task_json`."""
    return validation_facts(TASK)


def preparation_task(wildcards):
    """Return the part of the task that the preparation depends on. A function for the reason given in `task_json`."""
    return preparation_facts(TASK)


def select_keys(section, *keys):
    """Return some keys of a section of the configuration."""
    return {key: config[section][key] for key in keys}


def scaled(**amounts):
    """Return resources that grow with each submission of a failed job: once, twice, three times the amount."""
    return {name: lambda wildcards, attempt, amount=amount: amount * attempt for name, amount in amounts.items()}


GPUS = 0 if config["training"]["device"] == "cpu" else 1
"""The resource `gpu` of jobs that run the network."""


def report_entry(caption, category, result, kind):
    """Return the arguments of `report()` for a result. caption: name of a file in workflow/report."""
    return {"caption": f"../report/{caption}.rst", "category": category, "labels": {"result": result, "kind": kind}}


# Computing all digests takes seconds. Runs in other folders find them beside the compiled code of this checkout.
DIGESTS_FOLDER = SCRIPTS / "__pycache__" if os.access(SCRIPTS, os.W_OK) else Path(".snakemake")
CODE_DIGESTS = CodeDigests(SCRIPTS, DIGESTS_FOLDER / "code_digests.json")


def code(script, imported_by_name=None):
    """Return the digest of a script and of everything that it imports; Snakemake does not track imports.

    imported_by_name: the modules whose names it learns only at run time; None if it imports all modules by statements.
    """
    modules = None if imported_by_name is None else [SCRIPTS / f"{module}.py" for module in imported_by_name]
    return CODE_DIGESTS.digest(SCRIPTS / f"{script}.py", modules)


# A training depends on the code that reads models only if it starts from one.
TRAINING_CODE = code("train_epoch", ["tumorseg/training/start_model"] if config["training"]["start_from"] else [])


# The rules that results depend on, in the order of the stages.
CHAIN = [
    *(
        ["convert", "coregister", "extract_brain", "to_atlas", "prepare_case", "validate_prepared"]
        if PREPARES_COHORT
        else []
    ),
    "validate_batch",
    "split",
    "normalise_batch",
    *(
        ["write_synthetic_cases"]
        if all(select_keys("training", "synthetic_fraction", "synthetic_cases").values())
        else []
    ),
    "training_data",
    "train_epoch",
    "verify_checkpoint",
    "select_checkpoint",
    "predict",
    "evaluate",
    "reliability",
    *(rule for rule in ("calibration", "leave_out_modalities", "challenge_2026") if config["evaluation"][rule]),
]
CODES = json.dumps({**{script: code(script) for script in CHAIN}, "train_epoch": TRAINING_CODE})
OF_TARGETS = ("postprocessing", "learning_curve", "segment", "score")
"""Sections that only the targets of the same names depend on."""
CONFIGURATION = {section: content for section, content in config.items() if section not in OF_TARGETS}
"""The settings that results depend on."""
