"""Compare what the models say about their masks with the truth of the held-out cases, and write it for `segment`."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from tumorseg.cli import console
from tumorseg.cohort.splits import read_splits
from tumorseg.evaluation.reliability import fold_held_out_cases, reliability_table
from tumorseg.evaluation.reliability_summary import reliability_sentences, reliability_summary
from tumorseg.inference.records import read_prediction_record
from tumorseg.io.files import write_json
from tumorseg.io.tables import read_table, write_table
from tumorseg.metrics.structure_scores import TEXT_COLUMNS
from tumorseg.networks.held_out_quality import HeldOutCases, write_held_out_cases
from tumorseg.task import add_task_option


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line of the rule reliability."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=Path, nargs="+", required=True, help="prediction record of each fold")
    parser.add_argument("--scores", type=Path, required=True, help="scores of each case")
    parser.add_argument("--splits", type=Path, required=True, help="table of the splits")
    add_task_option(parser)
    parser.add_argument("--table", type=Path, required=True, help="table of the held-out cases to write, CSV")
    parser.add_argument("--summary", type=Path, required=True, help="summary with the coverage to write, JSON")
    parser.add_argument(
        "--held-out", type=Path, nargs="+", required=True, help="held-out cases to write beside each model, JSON"
    )
    parser.add_argument("--log", type=Path, help="log file")
    options = parser.parse_args(arguments)
    with console.job("reliability", options.log):
        splits = read_splits(options.splits)
        records = [read_prediction_record(path, fold) for fold, path in enumerate(options.records)]
        scores = read_table(options.scores, text_columns=TEXT_COLUMNS)
        folds = [fold_held_out_cases(record, scores, splits, options.task) for record in records]
        table = reliability_table(folds, options.task)
        write_table(options.table, table)
        held_out = {case for cases in folds for case in cases}
        patients = {assignment.patient for assignment in splits if assignment.case in held_out}
        summary = reliability_summary(table, len(patients), options.task)
        write_json(options.summary, summary)
        for record, cases, path in zip(records, folds, options.held_out, strict=True):
            write_held_out_cases(path, record["model"], HeldOutCases(tuple(cases.values()), record["settings"]))
        for sentence in reliability_sentences(summary, options.task):
            console.logger.info("%s", sentence)


if __name__ == "__main__":
    main()
