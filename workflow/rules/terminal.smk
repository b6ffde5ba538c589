"""Find the library, and shorten Snakemake's own lines on the terminal."""

import logging
import sys
from functools import cache

SCRIPTS = REPOSITORY / "scripts"
if not SCRIPTS.is_dir():
    raise SystemExit(f"{REPOSITORY}: the folder scripts is missing; clone the repository and import its Snakefile")
sys.path.insert(0, str(SCRIPTS))

from tumorseg.cli import terminal
from tumorseg.cli.heartbeat import Heartbeat, clock
from tumorseg.configuration.command_line import target_hint, target_mistakes

# Titles of results in the last lines of a run, in the order of these lines: the report comes last.
RESULTS = {
    "results/cohort/manifest.tsv": "Table of cases",
    "results/cohort/cohort.html": "Page of cases",
    "results/evaluation/summary.json": "Scores",
    "results/model/README.md": "Model card",
    "results/postprocessing/gains.csv": "Gains of post-processing",
    "results/postprocessing/choice.yaml": "Chosen post-processing",
    "results/learning_curve/summary.csv": "Learning curve",
    "results/learning_curve/dice_by_training_cases.png": "Figure of the learning curve",
    "results/segmentations": "Segmentations",
    "results/scores/summary.json": "Scores of the masks",
    "results/scores/comparison.csv": "Comparison of the folders",
    "results/scores/scores.html": "Page of the scores",
    "results/report.html": "Report",
}


def result_lines():
    """Return the last lines of a run: the results and their paths."""
    requested = (str(file) for job in workflow.dag.jobs for file in job.output)
    return terminal.result_lines(RESULTS, requested, Path.cwd())


# The targets that people use first, in the order of the stages.
FIRST_TARGETS = (
    *("validate", "split", "normalise", "train", "verify", "evaluate", "figures", "report"),
    *("postprocessing", "segment", "score", "learning_curve", "onnx"),
)


@cache
def print_targets():
    """Print the targets that people use first, each with the docstring of its rule."""
    print("snakemake [TARGET …] [--directory DIR] [--configfile FILE] [--config data=DIR]; targets before options:")
    print(f"  {'(none)':<14} {workflow.get_rule(target_name('all')).docstring}")
    for name in map(target_name, FIRST_TARGETS):
        print(f"  {name:<14} {workflow.get_rule(name).docstring}")
    print("New patients: segment --config patients=DIR. Masks: score --config predictions=DIR references=DIR.")
    print("All targets: snakemake --list-target-rules. A dry run: snakemake -n, in detail: snakemake -n -p.")


def help_input(wildcards):
    """Return no files. Print the targets for the target `help`."""
    print_targets()
    return []


def is_help():
    """Return whether `help` is the only target."""
    return bool(workflow.dag_settings) and set(workflow.dag_settings.targets) == {target_name("help")}


def hint_at_target(target):
    """Return a hint for a target that does not exist."""
    return target_hint(target, [rule.name for rule in workflow.rules])


@cache
def check_targets():
    """Stop with a message if a target is a setting, or if no target reads a folder of the command line.

    Called before the search for cases: while Snakemake reads the Snakefile, the targets are unknown.
    """
    if workflow.is_main_process and workflow.modifier.is_main_snakefile() and workflow.dag_settings:
        if wrong := target_mistakes(workflow.dag_settings.targets, workflow.config_settings.config or {}):
            raise SystemExit("\n".join(wrong))


def show_planning(seconds):
    """Print for how many seconds Snakemake has been planning, unless the only target is `help`."""
    if not is_help():
        print(f"planning: checking cases and results for {clock(seconds)}", file=sys.stderr)


def shorten_terminal():
    """Show only Snakemake's errors, warnings and progress on the terminal."""
    settings = workflow.output_settings
    wants_more = settings.verbose or settings.printshellcmds or settings.debug_dag or settings.quiet
    if wants_more or not workflow.is_main_process or not workflow.modifier.is_main_snakefile():
        return
    for handler in logging.getLogger("snakemake.logging").handlers:
        if handler.name == terminal.HANDLER:
            lines = terminal.TerseLines(
                handler,
                is_dry_run=lambda: workflow.dryrun,
                results=result_lines,
                hint=hint_at_target,
                heartbeat=Heartbeat(show_planning),
            )
            handler.addFilter(lines)
            handler.addFilter(lambda record: not (str(record.msg).startswith("Building DAG") and is_help()))
            handler.setFormatter(lines)


shorten_terminal()


onsuccess:
    for line in result_lines():
        print(line, file=sys.stderr)
