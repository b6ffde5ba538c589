"""Check training and prediction on a GPU, and measure their speed and memory.

    make gpu-check
    make gpu-check OPTIONS="--only step loading"
    make gpu-check OPTIONS=--reduced

Writes one JSON file and one page. The exit status is 1 if something did not hold.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from tests.gpu_check.catalogue import all_checks, choose
from tests.gpu_check.check import Check
from tests.gpu_check.isolated import run_isolated
from tests.gpu_check.machine import machine_facts
from tests.gpu_check.report import PAGE, Report
from tests.gpu_check.scale import Scale, full_scale, reduced_scale
from tumorseg.errors import UserError


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    options = _options(arguments)
    try:
        scale = reduced_scale() if options.reduced else _scale_of_gpu()
        everything = all_checks(scale)
        chosen = choose(everything, options.only)
        folder = _new_folder(options.output)
    except UserError as error:
        raise SystemExit(f"{error}") from None
    report = Report(scale, machine_facts(), missing=everything)
    run_checks(chosen, report, folder)
    print("\n".join(["", *report.lines(), "", report.summary(), f"Page: {folder / PAGE}"]), flush=True)
    sys.exit(1 if report.failed else 0)


def run_checks(checks: Sequence[Check], report: Report, folder: Path) -> None:
    """Run checks one after the other. Write the report after each, so that an interrupted run has one as well."""
    for number, check in enumerate(checks, start=1):
        print(f"[{number}/{len(checks)}] {check.name}: {check.claim}", flush=True)
        result = run_isolated(check, report.scale, folder)
        for figure in result.figures:
            print(f"    {figure.name}: {figure.text()}")
        reason = f": {result.reason}" if result.reason else ""
        print(f"  {result.verdict}{reason} ({result.seconds:.0f} s)", flush=True)
        report.results.append((check, result))
        report.missing = [each for each in report.missing if each.name != check.name]
        report.write(folder)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "tests.gpu_check", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="checks whose names begin with these")
    parser.add_argument(
        "--reduced", action="store_true", help="tiny sizes, also without a GPU, to try the checks themselves"
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("gpu_check", time.strftime("%Y-%m-%d-%H%M%S")),
        help="new folder for all files (by default gpu_check/ with the time)",
    )
    return parser.parse_args(arguments)


def _scale_of_gpu() -> Scale:
    if not torch.cuda.is_available():
        raise UserError(
            "torch sees no GPU on this machine: run on one that has a GPU, install a version of torch with CUDA and a "
            "driver that fits it, or try the checks themselves on the CPU with --reduced"
        )
    return full_scale()


def _new_folder(folder: Path) -> Path:
    if folder.exists() and any(folder.iterdir()):
        raise UserError(f"{folder}: this folder is not empty; name another one with --output, or delete it")
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()
