"""Score every prediction against the expert's mask as it was delivered."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from tumorseg import console
from tumorseg.cohort.again import read_again
from tumorseg.cohort.splits import read_splits
from tumorseg.cohort.verdict import read_verdicts
from tumorseg.files import write_json, write_text
from tumorseg.inference.prediction import read_prediction
from tumorseg.labels import to_inside
from tumorseg.metrics.overlap import overlaps
from tumorseg.metrics.summary import rows, summarise


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of the rule evaluate."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, required=True, help="folder of the case folders")
    parser.add_argument("--verdicts", type=Path, nargs="+", required=True, help="verdict files of all batches")
    parser.add_argument("--predictions", type=Path, nargs="+", required=True, help="folders of predicted masks")
    parser.add_argument("--splits", type=Path, required=True, help="table of the splits")
    parser.add_argument("--settings", type=json.loads, required=True, help="`evaluation` section, as JSON")
    parser.add_argument("--scores", type=Path, required=True, help="table of scores, as CSV")
    parser.add_argument("--summary", type=Path, required=True, help="summary of the scores, as JSON")
    parser.add_argument("--log", type=Path, help="log file")
    options = parser.parse_args(arguments)
    with console.job("evaluate", options.log):
        verdicts = {verdict.case: verdict for path in options.verdicts for verdict in read_verdicts(path)}
        scored = [assignment for assignment in read_splits(options.splits) if assignment.fold >= 0]
        progress = console.Progress(len(scored), "case")
        table = []
        for assignment in scored:
            facts = verdicts[assignment.case].facts
            reference = to_inside(read_again(options.root, facts["files"]["seg"]).array.astype(np.uint8))
            prediction = read_prediction(options.predictions, assignment.case, facts["shape"], facts["affine"])
            table += rows(assignment.case, assignment.fold, overlaps(prediction, reference))
            progress.step(assignment.case)
        scores = pd.DataFrame(table)
        summary = summarise(scores, **options.settings)
        write_text(options.scores, scores.to_csv(index=False, lineterminator="\n"))
        write_json(options.summary, summary)
        for label in summary["never_predicted"]:
            console.logger.warning("%s is never predicted although the references have it", label)


if __name__ == "__main__":
    main()
