"""Find the cases and their patients: in folders, or by a sample sheet."""

import os
import sys
from functools import cache
from pathlib import Path

from tumorseg.cohort.discovery import discover_cases, discover_roots, locate_cohort_folder, locate_roots
from tumorseg.cohort.patients import compile_patient_pattern
from tumorseg.cohort.sample_sheet import patient_source, read_sample_sheet, require_one_patient_source
from tumorseg.configuration.constraints import require_table
from tumorseg.errors import UserError


def print_note(sentence):
    """Print a sentence in the main process only: Snakemake also plans in the jobs on the nodes of a cluster."""
    if workflow.is_main_process:
        print(sentence, file=sys.stderr)


@cache
def sample_sheet():
    """Return the sample sheet of `cohort.samples`; None if the cases come from the cohort's folders."""
    if SETTINGS.cohort.samples is None:
        return None
    file = Path(SETTINGS.cohort.samples)
    try:
        require_table("cohort.samples", file, written=Path("results/cohort/manifest.tsv"), rule="manifest")
        sheet = read_sample_sheet(file, TASK, schema_of("samples"))
        require_one_patient_source(sheet, file, SETTINGS.cohort.patient)
    except UserError as error:
        raise SystemExit(f"{error}") from None
    return sheet


def discovered_cases():
    """Return the cases in the cohort's folders, or of its sample sheet; those to prepare as they will be prepared."""
    check_targets()
    if PREPARES_COHORT:
        return [*cohort_plan().prepared, *prepared_cases().values()]
    if sheet := sample_sheet():
        return sheet.cases
    try:
        return discover_roots(ROOT, BELOW_ROOT, TASK, note=print_note)
    except UserError as error:
        if config["demo"]:
            return []  # the rule demo_cohort has not made the folder yet
        raise SystemExit(f"{error}") from None


def configured_patients():
    """Return the pattern of `cohort.patient` and a list with the path of its table; None and an empty list if unset."""
    given = SETTINGS.cohort.patient
    if given is None:
        return None, []
    file = Path(os.path.expanduser(given))
    try:
        if not os.path.exists(file) and file.suffix.lower() not in (".tsv", ".csv", ".txt"):
            compile_patient_pattern(given)
            return given, []
        require_table("cohort.patient", file, written=Path("results/cohort/manifest.tsv"), rule="manifest")
    except UserError as error:
        raise SystemExit(f"{error}") from None
    if set(str(file)) & set("{}"):
        raise SystemExit(f"cohort.patient: {file}: a path must not contain braces; rename the table")
    return None, [str(file)]


PATIENT_PATTERN, PATIENT_TABLE = configured_patients()


def cohort_folder():
    """Return the folder that all paths of cases are relative to, and the folders of cases, relative to it.

    Print a note if the folders differ from those in `cohort.root`. If cases may be prepared, all paths are relative to
    the working directory, in which the prepared cases are.
    """
    if PREPARES_COHORT:
        return Path(), []
    if SETTINGS.cohort.samples is not None:
        return Path(SETTINGS.cohort.samples).parent, []
    given = SETTINGS.cohort.root
    roots = [Path(root) for root in ([given] if isinstance(given, str) else given)]
    if config["demo"]:
        return roots[0], [""]  # the rule demo_cohort makes this folder
    folder, below, notes = locate_roots(roots, TASK)
    for note in notes:
        print_note(note)
    return folder, below


ROOT, BELOW_ROOT = cohort_folder()
# How messages name the source of the cases.
COHORT_NAME = SETTINGS.cohort.samples or (
    SETTINGS.cohort.root if isinstance(SETTINGS.cohort.root, str) else " and ".join(SETTINGS.cohort.root)
)


def sheet_patients():
    """Return the patient of each case in the sample sheet; empty if there is no sheet or it has no such column."""
    sheet = sample_sheet()
    return sheet.patients if sheet else {}


def explicit_patient_source():
    """Return what defines the patients: `cohort.patient` or the sample sheet; None if the names of the cases do."""
    return patient_source(sample_sheet(), SETTINGS.cohort.samples, SETTINGS.cohort.patient)
