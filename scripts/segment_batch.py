"""Segment the new patients of one job, and warn of those that cannot be segmented."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from tumorseg.cli import console
from tumorseg.cohort.case_files import case_from_json
from tumorseg.inference.segmenter import Segmenter
from tumorseg.io.digests import sha256
from tumorseg.io.files import make_folder
from tumorseg.networks.devices import resolve_execution
from tumorseg.networks.starter import model_path
from tumorseg.plotting.style import FigureSettings
from tumorseg.segmentation.models import known_held_out_cases, known_subset_scores, read_models
from tumorseg.segmentation.patient import segment_patient
from tumorseg.segmentation.prepared_cases import prepared_case
from tumorseg.segmentation.results import write_record
from tumorseg.segmentation.used_model import UsedModel
from tumorseg.task import add_task_option


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line of the rule segment_batch."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, default=Path(), help="folder of the case folders")
    parser.add_argument("--cases", type=case_from_json, nargs="*", default=[], help="files of each case, as JSON")
    parser.add_argument(
        "--prepared", type=Path, nargs="*", default=[], help="folders of prepared patients, beside or instead of cases"
    )
    parser.add_argument(
        "--models",
        nargs="+",
        required=True,
        help="exported models, whose predictions are averaged: paths, or `starter`",
    )
    parser.add_argument(
        "--settings",
        type=json.loads,
        required=True,
        help="`prediction`, `execution`, `figures`, and `cohort` with `max_voxels`, as JSON",
    )
    add_task_option(parser)
    parser.add_argument("--output", type=Path, required=True, help="folder to write for masks and pictures")
    parser.add_argument("--log", type=Path, help="log file")
    options = parser.parse_args(arguments)
    with console.job("segment_batch", options.log):
        execution = resolve_execution(**options.settings["execution"])
        paths = [model_path(model) for model in options.models]
        networks, cards = read_models(paths, options.task)
        models = [
            UsedModel(file, card, known_subset_scores(path, card), known_held_out_cases(path, card))
            for file, path, card in zip(options.models, paths, cards, strict=True)
        ]
        task = cards[0].task
        segmenter = Segmenter(networks, execution, options.settings["prediction"], task=task)
        figures = FigureSettings.from_dict(options.settings["figures"])
        max_voxels = options.settings["cohort"]["max_voxels"]
        make_folder(options.output)
        prepared = [(folder, prepared_case(folder, options.task)) for folder in options.prepared]
        cases = [
            *((options.root, files, ()) for files in options.cases),
            *((folder, found.files, found.warnings) for folder, found in prepared if found is not None),
        ]
        progress, patients = console.Progress(len(cases), "case"), []
        for root, files, warnings in cases:
            patient = segment_patient(
                root,
                files,
                segmenter,
                models,
                task=options.task,
                folder=options.output,
                figures=figures,
                max_voxels=max_voxels,
                warnings=warnings,
            )
            if not patient.segmented:
                console.logger.warning("%s is not segmented: %s: %s", patient.case, patient.problems, patient.detail)
            patients.append(patient)
            progress.step(patient.case)
        method = {
            "models": [
                {"file": model, "digest": sha256(path), "mark": card.notice.text if card.notice else ""}
                for model, path, card in zip(options.models, paths, cards, strict=True)
            ],
            "structures": list(task.structures),
            "task": task.to_json(),
            "convention": cards[0].convention,
            "prediction": options.settings["prediction"],
            "execution": execution.name,
        }
        write_record(options.output, patients, method)


if __name__ == "__main__":
    main()
