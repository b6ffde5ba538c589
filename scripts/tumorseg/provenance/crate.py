"""Describe a run as a Workflow Run RO-Crate: machine-readable metadata of its workflow, inputs and results.

Profiles: https://w3id.org/ro/wfrun/workflow/0.5 on RO-Crate 1.1.
"""

from collections.abc import Iterable
from datetime import datetime
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Final

from rocrate.model.contextentity import ContextEntity
from rocrate.rocrate import ROCrate

from tumorseg.io.digests import sha256

_PROFILES: Final = {
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": ("Workflow RO-Crate", "1.0"),
}
_TERMS: Final = "https://w3id.org/ro/terms/workflow-run/context"
"""A context that defines `sha256`, which RO-Crate 1.1 lacks."""
_DESCRIPTIONS: Final = {
    "provenance/configuration.yaml": "All settings that the results depend on; use it with `--configfile`",
    "provenance/task.yaml": "Channels, labels and file names; use it with `cohort.task`",
    "provenance/raw_files.tsv": "The raw files with their digests",
    "provenance/requirements.txt": "The Python packages that were installed when this file was written",
    "provenance/run.json": "Commit, code digests, machine, and the selected models with their training data",
    "provenance/masks.tsv": "The predicted masks of the held-out cases with their digests",
    "provenance/jobs.tsv": "Run time, peak memory and device of each job that ran here",
    "report.html": "The report: a page with scores, figures, dropped cases and refused checkpoints",
    "cohort/cohort.html": "Every case of the cohort with a preview, its problems and its warnings",
    "cohort/manifest.tsv": "All cases: usable or not, and why",
    "cohort/splits.tsv": "The fold in which each case is held out; use a copy with `cohort.split_file`",
    "training/*/history.csv": "Losses, validation Dice and learning rate of each epoch",
    "training/*/selection.json": "The selected epoch and the refused epochs",
    "model/*.safetensors": "Weights of the network and everything needed to use them",
    "model/*.reliability.json": "Held-out cases of the model, for the intervals of new patients",
    "model/README.md": "The model card: what the models are, their scores and their limits",
    "predictions/*": "Predicted masks of the held-out cases",
    "evaluation/cases.csv": "Scores of each case",
    "evaluation/lesions.csv": "Each lesion of each case: its volume and whether it was found",
    "evaluation/reliability.csv": "Expected and true Dice, and the interval of each volume, of each case",
    "evaluation/reliability.json": "How often the intervals contain the true volumes",
    "evaluation/summary.json": "Scores over all cases, with definitions and confidence intervals",
}
_WORKFLOW_DESCRIPTION: Final = (
    "The entry point of the workflow; its rules and scripts are those of the commit in `version`"
)
_RUN_DESCRIPTION: Final = (
    "From raw MRI to report, in one or more invocations; jobs.tsv has the end and the run time of each job"
)
_MEDIA_TYPES: Final = {
    ".yaml": "application/yaml",
    ".tsv": "text/tab-separated-values",
    ".csv": "text/csv",
    ".txt": "text/plain",
    ".json": "application/json",
    ".html": "text/html",
    ".md": "text/markdown",
    ".safetensors": "application/octet-stream",
}


def crate_metadata(
    root: Path,
    *,
    workflow: Path,
    inputs: Iterable[Path],
    results: Iterable[Path],
    commit: str,
    engine: str,
    made: datetime,
) -> dict[str, Any]:
    """Return the content of ro-crate-metadata.json.

    Args:
        root: folder of the crate.
        workflow: the Snakefile; this and the other paths are relative to `root`.
        inputs: files or folders; files are described with their SHA-256.
        results: files or folders, likewise.
        commit: of the code.
        engine: version of Snakemake.
        made: present time, with its time zone.

    Returns:
        The metadata as JSON-LD.
    """
    crate = ROCrate(version="1.1")
    crate.name = "Brain tumour segmentation: a run"
    crate.description = "A 3D U-Net trained on brain MRI, verified and evaluated on held-out cases, with all settings."
    crate.datePublished = made
    crate.license = crate.add(
        _context(
            crate,
            "#terms",
            "CreativeWork",
            name="The terms of the data",
            description="Results from a data set fall under its terms; BraTS does not allow its data to be passed on.",
        )
    )
    crate.metadata.extra_contexts.append(_TERMS)
    main = crate.add_workflow(
        root / workflow,
        workflow.as_posix(),
        main=True,
        lang="snakemake",
        lang_version=engine,
        properties={
            "name": "tumorseg",
            "description": _WORKFLOW_DESCRIPTION,
            "version": commit,
            "license": "https://spdx.org/licenses/MIT",
        },
    )
    for identifier, (name, number) in _PROFILES.items():
        profile = crate.add(_context(crate, identifier, "CreativeWork", name=name, version=number))
        crate.root_dataset.append_to("conformsTo", profile)
    action = crate.add_action(
        main,
        identifier="#run",
        object=[_entity(crate, root, path) for path in inputs],
        result=[_entity(crate, root, path) for path in results],
        properties={"name": "The run", "description": _RUN_DESCRIPTION, "endTime": made.isoformat(timespec="seconds")},
    )
    crate.root_dataset.append_to("mentions", action)
    content: dict[str, Any] = crate.metadata.generate()
    return content


def _context(crate: ROCrate, identifier: str, kind: str, **properties: str) -> ContextEntity:
    return ContextEntity(crate, identifier, properties={"@type": kind, **properties})


def _entity(crate: ROCrate, root: Path, path: Path) -> Any:
    """Add a file or folder to the crate and return it."""
    name = path.as_posix()
    properties = {"name": next(meaning for pattern, meaning in _DESCRIPTIONS.items() if fnmatch(name, pattern))}
    if (root / path).is_dir():
        return crate.add_directory(root / path, name, properties=properties)
    properties_of_file = {"encodingFormat": _MEDIA_TYPES[path.suffix], "sha256": sha256(root / path)}
    size = str((root / path).stat().st_size)
    return crate.add_file(root / path, name, properties=properties | properties_of_file | {"contentSize": size})
