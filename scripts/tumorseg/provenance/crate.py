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

from tumorseg.io.files import sha256

_PROFILES: Final = {
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": ("Workflow RO-Crate", "1.0"),
}
_TERMS: Final = "https://w3id.org/ro/terms/workflow-run/context"
"""Defines `sha256`, which RO-Crate 1.1 does not."""
_DESCRIPTIONS: Final = {
    "provenance/configuration.yaml": "Every setting that decides about the results; `--configfile` takes it",
    "provenance/task.yaml": "What channels, labels and names mean; `cohort.task` takes it",
    "provenance/raw_files.tsv": "Each raw file, with its digest",
    "provenance/requirements.txt": "The Python packages that were installed where this was written",
    "provenance/run.json": "Commit and code digests, machine, and the models with what they were trained on",
    "provenance/masks.tsv": "The masks of the held-out cases, with their digests",
    "provenance/jobs.tsv": "Seconds, peak memory and device of each job that ran here",
    "report.html": "The report: one page with scores, figures, dropped cases and refused checkpoints",
    "cohort/cohort.html": "Every case of the cohort in small, with all that was found",
    "cohort/manifest.tsv": "Every case folder: usable or not, and why",
    "cohort/splits.tsv": "The fold in which each case is held out; a copy of it serves as `cohort.split_file`",
    "training/*/history.csv": "Losses, validation Dice and learning rate of each epoch",
    "training/*/selection.json": "The epoch that was chosen, and those that were refused",
    "model/*.safetensors": "Weights of the network and all that is needed to use them",
    "model/README.md": "What the models are, and what to know before they are used",
    "predictions/*": "Masks of the held-out cases",
    "evaluation/cases.csv": "Scores of each case",
    "evaluation/summary.json": "Scores over all cases, with definitions and confidence intervals",
}
_WORKFLOW_DESCRIPTION: Final = "The entry point; its rules and scripts are those of the version, a commit"
_RUN_DESCRIPTION: Final = (
    "From raw MRI to report, in one go or several; jobs.tsv says when each job ended and how long it took"
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
    """The content of `root`/ro-crate-metadata.json (JSON-LD).

    root: folder in which all paths lie. workflow: the Snakefile. inputs, results: files, told with their SHA-256, or
    folders. commit: of the code. engine: version of Snakemake. made: now, with its time zone.
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
            description="What was made from a data set comes under its terms; BraTS forbids to hand its data on.",
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
    """A file or folder as part of the crate."""
    name = path.as_posix()
    properties = {"name": next(meaning for pattern, meaning in _DESCRIPTIONS.items() if fnmatch(name, pattern))}
    if (root / path).is_dir():
        return crate.add_directory(root / path, name, properties=properties)
    known = {"encodingFormat": _MEDIA_TYPES[path.suffix], "sha256": sha256(root / path)}
    size = str((root / path).stat().st_size)
    return crate.add_file(root / path, name, properties=properties | known | {"contentSize": size})
