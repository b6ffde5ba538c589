"""What directives of rules share: settings, task and code as params, resources, descriptions for the report."""

import json

from tumorseg.codedigest.digest import CodeDigests
from tumorseg.configuration.renamed import recorded
from tumorseg.task import validation_facts


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
    """What a verdict depends on. A function for the reason that `task_json` gives."""
    return validation_facts(TASK)


# The configuration as jobs take it and results record it.
RECORDED = recorded(config)


def only(section, *keys):
    """Some keys of a section of the configuration, as results record them."""
    return recorded({section: {key: config[section][key] for key in keys}})[section]


def scaled(**amounts):
    """Resources of which each new submission of a failed job asks for more: once, twice, three times the amount."""
    return {name: lambda wildcards, attempt, amount=amount: amount * attempt for name, amount in amounts.items()}


GPUS = 0 if config["training"]["device"] == "cpu" else 1
"""The resource `gpu` of jobs that run the network."""


def described(caption, category, result, kind):
    """Arguments of `report()`: what Snakemake's own report says of a file. caption: a file in workflow/report."""
    return {"caption": f"../report/{caption}.rst", "category": category, "labels": {"result": result, "kind": kind}}


CODE_DIGESTS = CodeDigests(SCRIPTS, Path(".snakemake/code_digests.json"))


def code(*scripts):
    """The digest of scripts or modules and all that they import, which Snakemake does not track."""
    return CODE_DIGESTS.digest(*(SCRIPTS / f"{script}.py" for script in scripts))


# What a result depends on, stage by stage.
CHAIN = [
    "validate_batch",
    "split",
    "normalise_batch",
    "training_data",
    "train_epoch",
    "verify_checkpoint",
    "select_checkpoint",
    "predict",
    "evaluate",
    *(rule for rule in ("calibration", "leave_out_modalities") if config["evaluation"][rule]),
]
CODES = json.dumps({rule: code(rule) for rule in CHAIN})
CONFIGURATION = {section: content for section, content in config.items() if section not in ("segment", "score")}
"""All that decides about the results."""
