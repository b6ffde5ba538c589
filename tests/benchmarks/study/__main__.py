"""Compare training set-ups on real cases by cross-validation, each with the same CPU time.

    PYTHONPATH=scripts python -m tests.benchmarks.study run STUDY.yaml RESULTS.csv
    PYTHONPATH=scripts python -m tests.benchmarks.study table RESULTS.csv

`run` skips the trainings whose results are in RESULTS.csv. It trains an interrupted one again from its start.
"""

import argparse
from dataclasses import asdict
from pathlib import Path

from safetensors.torch import save_file

from tests.benchmarks.study.plan import Run, Study, fold_cases, prepare_cases, read_study
from tests.benchmarks.study.table import append, drop_unfinished, finished, markdown_table, read_results
from tests.benchmarks.study.training import Progress, case_scores, execution, train
from tumorseg.networks.base import Network


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True, dest="command")
    run = commands.add_parser("run", help="train and score the set-ups of a study")
    run.add_argument("study", type=Path, help="file of the study, see tests/benchmarks/study/example.yaml")
    run.add_argument("results", type=Path, help="table of the scores, CSV")
    run.add_argument(
        "--cases", type=Path, help="folder in which the workflow normalises the cases; by default beside the table"
    )
    run.add_argument("--weights", type=Path, help="folder to write the final weights to; by default they are not kept")
    table = commands.add_parser("table", help="print the means as a Markdown table")
    table.add_argument("results", type=Path, nargs="+", help="tables of the scores")
    table.add_argument("--mark", type=float, default=1, help="fraction of the CPU time: 0.25, 0.5, 0.75 or 1")
    table.add_argument("--against", help="a set-up to compare all others with, case by case")
    options = parser.parse_args()
    if options.command == "run":
        _run(read_study(options.study), options.results, options.cases, options.weights)
    else:
        for results in options.results:
            print(markdown_table(read_results(results), mark=options.mark, against=options.against))


def _run(study: Study, results: Path, folder: Path | None, weights: Path | None) -> None:
    folder = (folder or results.with_suffix(".cases")).resolve()
    prepare_cases(folder, study.folds)
    rows = drop_unfinished(results, mirroring=study.mirroring)
    done, digests = finished(rows, mirroring=study.mirroring), dict(zip(rows["setup"], rows["digest"], strict=True))
    runs = study.runs()
    for run in runs:
        if digests.get(run.setup, run.digest) != run.digest:
            raise SystemExit(
                f"{run.setup}: {results} has rows of another set-up, length or precision with this name; "
                "rename the set-up, or name another table"
            )
    todo = [run for run in runs if (run.setup, run.digest, run.fold, run.seed) not in done]
    print(
        f"{len(todo)} of {len(runs)} trainings of {study.minutes:g} CPU minutes each (process time of all threads / "
        "threads of PyTorch; evaluation comes on top)",
        flush=True,
    )
    for run in todo:
        _train_and_score(run, study, results, folder, weights)


def _train_and_score(run: Run, study: Study, results: Path, folder: Path, weights: Path | None) -> None:
    """Train one set-up on one fold and append its scores to the table at each mark."""
    training, held_out = fold_cases(folder, run.fold)
    key = {"setup": run.setup, "digest": run.digest, "fold": run.fold, "seed": run.seed}

    def on_mark(progress: Progress, network: Network) -> None:
        for mirroring in (False, True) if study.mirroring and progress.mark == 1 else (False,):
            scores = case_scores(network, held_out, execution(run), mirroring=mirroring)
            about = {**key, **asdict(progress), "mirroring": mirroring}
            append(results, [{**about, "case": case, **dice} for case, dice in scores.items()])
            means = {
                name: sum(dice[name] for dice in scores.values()) / len(scores) for name in next(iter(scores.values()))
            }
            print(
                f"{run.setup}, fold {run.fold}, seed {run.seed}{', mirroring' if mirroring else ''}: "
                f"{progress.minutes:.1f} min, {progress.steps} steps, loss {progress.loss:.3f}, "
                + " ".join(f"{name} {mean:.3f}" for name, mean in means.items()),
                flush=True,
            )
        if weights and progress.mark == 1:
            weights.mkdir(parents=True, exist_ok=True)
            tensors = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
            save_file(tensors, weights / f"{run.setup}-fold-{run.fold}-seed-{run.seed}.safetensors")

    train(run, training, held_out, study.minutes, on_mark)


if __name__ == "__main__":
    main()
