"""Where the library is, and what the terminal shows of Snakemake's own lines."""

import logging
import sys
from functools import cache

SCRIPTS = REPOSITORY / "scripts"
if not SCRIPTS.is_dir():
    raise SystemExit(f"{REPOSITORY}: there are no scripts; clone the repository and import the Snakefile of the clone")
sys.path.insert(0, str(SCRIPTS))

from tumorseg.cli import terminal
from tumorseg.cli.heartbeat import Heartbeat, clock
from tumorseg.configuration.targets import target_hint, target_mistakes

# What was made, for the last lines of a run; the report comes last.
RESULTS = {
    "results/cohort/manifest.tsv": "Table of cases",
    "results/cohort/cohort.html": "Page of cases",
    "results/evaluation/summary.json": "Scores",
    "results/model/README.md": "Model card",
    "results/segmentations": "Segmentations",
    "results/scores/summary.json": "Scores of the masks",
    "results/scores/comparison.csv": "Comparison of the folders",
    "results/report.html": "Report",
}


def lines_of_results():
    """The last lines of a run: what was made, and where."""
    made = (str(file) for job in workflow.dag.jobs for file in job.output)
    return terminal.lines_of_results(RESULTS, made, Path.cwd())


# The targets that people use first, in the order of the work.
FIRST_TARGETS = (
    *("validate", "split", "normalise", "train", "verify", "evaluate", "figures", "report"),
    *("segment", "score", "onnx"),
)


@cache
def print_targets():
    """Print the targets that people use first, each with the docstring of its rule."""
    print("snakemake [TARGET …] [--directory DIR] [--configfile FILE] [--config data=DIR]; targets before options:")
    print(f"  {'(none)':<10} {workflow.get_rule(target_name('all')).docstring}")
    for name in map(target_name, FIRST_TARGETS):
        print(f"  {name:<10} {workflow.get_rule(name).docstring}")
    print("New patients: segment --config patients=DIR. Masks: score --config predictions=DIR references=DIR.")
    print("All targets: snakemake --list-target-rules. What would be done: snakemake -n; in detail: snakemake -n -p.")


def listed_targets(wildcards):
    """No file: asked for by the target `help`, to print the targets."""
    print_targets()
    return []


def hint_at_target(target):
    """What to do about a target that does not exist."""
    return target_hint(target, [rule.name for rule in workflow.rules])


@cache
def check_targets():
    """End with a sentence where a target is a setting, or a folder on the command line is left unread.

    Called before cases are looked for: while the Snakefile is read, Snakemake does not say what the targets are.
    """
    if workflow.is_main_process and workflow.modifier.is_main_snakefile() and workflow.dag_settings:
        if wrong := target_mistakes(workflow.dag_settings.targets, workflow.config_settings.config or {}):
            raise SystemExit("\n".join(wrong))


def show_planning(seconds):
    """Print that the plan is still being made, since so many seconds."""
    print(f"planning: looking at cases and results for {clock(seconds)}", file=sys.stderr)


def shorten_terminal():
    """Let the terminal show Snakemake's errors, warnings and progress only."""
    settings = workflow.output_settings
    wants_more = settings.verbose or settings.printshellcmds or settings.debug_dag or settings.quiet
    if wants_more or not workflow.is_main_process or not workflow.modifier.is_main_snakefile():
        return
    for handler in logging.getLogger("snakemake.logging").handlers:
        if handler.name == terminal.HANDLER:
            lines = terminal.TerseLines(
                handler,
                is_dry_run=lambda: workflow.dryrun,
                results=lines_of_results,
                hint=hint_at_target,
                heartbeat=Heartbeat(show_planning),
            )
            handler.addFilter(lines)
            handler.setFormatter(lines)


shorten_terminal()


onsuccess:
    print(*lines_of_results(), sep="\n", file=sys.stderr)
