"""Write the files that are needed to repeat a run beside its results."""

import argparse
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import distributions
from pathlib import Path

import yaml

from tumorseg.cli import console
from tumorseg.cohort.validation_result import read_validation_results
from tumorseg.io.files import read_json, write_json, write_text
from tumorseg.io.tables import write_table
from tumorseg.provenance import crate, file_tables, jobs
from tumorseg.provenance.run_facts import run_facts
from tumorseg.task import add_task_option


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line of the rule provenance."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, required=True, help="folder of all results")
    parser.add_argument("--validation-results", type=Path, nargs="+", required=True, help="files of validation results")
    parser.add_argument("--selection", type=Path, nargs="+", required=True, help="selection.json of each fold")
    parser.add_argument("--predictions", type=Path, nargs="+", required=True, help="folder of predictions of each fold")
    parser.add_argument("--results", type=Path, nargs="+", required=True, help="results to describe")
    parser.add_argument("--rules", nargs="+", required=True, help="names of the rules of the run")
    parser.add_argument("--codes", type=json.loads, required=True, help="digest of each rule's code, as JSON")
    parser.add_argument("--configuration", type=json.loads, required=True, help="configuration of the run, as JSON")
    add_task_option(parser)
    parser.add_argument("--engine", required=True, help="version of Snakemake")
    parser.add_argument(
        "--output", type=Path, required=True, help="metadata of the RO-Crate; the other files are written beside it"
    )
    parser.add_argument("--log", type=Path, help="log file")
    options = parser.parse_args(arguments)
    with console.job("provenance", options.log):
        repository, root, now = Path(__file__).parent.parent, options.root, datetime.now(UTC)
        facts = run_facts(repository, now)
        folder = root / "provenance"
        write_text(folder / "Snakefile", (repository / "Snakefile").read_text())
        write_text(folder / "configuration.yaml", yaml.safe_dump(options.configuration, sort_keys=False))
        task = file_tables.task_file_text(options.configuration["cohort"]["task"], options.task)
        write_text(folder / "task.yaml", task)
        write_text(folder / "requirements.txt", _requirements())
        validated = [result for path in options.validation_results for result in read_validation_results(path)]
        write_table(folder / "raw_files.tsv", file_tables.raw_file_table(validated))
        write_table(folder / "masks.tsv", file_tables.mask_table(options.predictions, root))
        shards = [path.stem for path in options.validation_results]
        names = jobs.job_names(options.configuration, shards, [result.case for result in validated])
        write_table(folder / "jobs.tsv", jobs.job_table(jobs.read_jobs(root, options.rules, names)))
        models = [read_json(path) for path in options.selection]
        run = {"made": facts.made, "commit": facts.commit, "machine": facts.machine, "python": facts.versions["Python"]}
        run["snakemake"] = options.engine
        write_json(folder / "run.json", {**run, "code": options.codes, "models": models})
        input_names = ("configuration.yaml", "task.yaml", "raw_files.tsv", "requirements.txt")
        inputs = [Path("provenance", name) for name in input_names]
        results = [Path("provenance", name) for name in ("run.json", "jobs.tsv", "masks.tsv")]
        results += [path.relative_to(root) for path in options.results]
        described = crate.crate_metadata(
            root,
            workflow=Path("provenance/Snakefile"),
            inputs=inputs,
            results=results,
            commit=facts.commit,
            engine=options.engine,
            made=now,
        )
        write_json(options.output, described)
        console.logger.info("files to repeat this run: %s", folder)


def _requirements() -> str:
    """Return all installed distributions as the text of a pip requirements file.

    A local build such as 2.13.0+cpu is written as a comment, since an index may only have version 2.13.0.
    """
    versions = {found.name: found.version.partition("+") for found in distributions()}
    lines = [
        f"{name}=={version}{f'  # here {version}+{build}' if build else ''}"
        for name, (version, _, build) in versions.items()
    ]
    return "".join(f"{line}\n" for line in sorted(lines, key=str.lower))


if __name__ == "__main__":
    main()
