"""Where the cases are, and what the user says of them: folders, a sample sheet, patients."""

import os
import sys
from functools import cache
from pathlib import Path

from tumorseg.cohort.discovery import discover_cases, locate_cohort_folder
from tumorseg.cohort.patients import compile_patient_pattern
from tumorseg.cohort.discovery import discover_roots, locate_roots
from tumorseg.cohort.sample_sheet import patient_source, read_sample_sheet, require_one_source
from tumorseg.configuration.constraints import require_table
from tumorseg.errors import UserError


def say(sentence):
    """Print a sentence for the person who plans; jobs on other nodes plan too, and keep quiet."""
    if workflow.is_main_process:
        print(sentence, file=sys.stderr)


@cache
def sample_sheet():
    """What `cohort.samples` names; None where the cases are those in the cohort's folders."""
    if SETTINGS.cohort.samples is None:
        return None
    file = Path(SETTINGS.cohort.samples)
    try:
        require_table("cohort.samples", file, written=Path("results/cohort/manifest.tsv"), rule="manifest")
        sheet = read_sample_sheet(file, TASK, schema_of("samples"))
        require_one_source(sheet, file, SETTINGS.cohort.patient)
    except UserError as error:
        raise SystemExit(f"{error}") from None
    return sheet


def found_cases():
    """The cases in the cohort's folders, or of its sample sheet."""
    check_targets()
    if sheet := sample_sheet():
        return sheet.cases
    try:
        return discover_roots(ROOT, BELOW_ROOT, TASK, note=say)
    except UserError as error:
        if config["demo"]:
            return []  # not made yet
        raise SystemExit(f"{error}") from None


def own_patients():
    """What `cohort.patient` says: the pattern, or the path of the table in a list; None and an empty list without."""
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
        raise SystemExit(f"cohort.patient: rename the table {file}: a path cannot have braces")
    return None, [str(file)]


PATIENT_PATTERN, PATIENT_TABLE = own_patients()


def cohort_folder():
    """The folder that the paths of all cases are relative to, and below it the folders of cases.

    Prints which folders are taken instead of those that are set.
    """
    if SETTINGS.cohort.samples is not None:
        return Path(SETTINGS.cohort.samples).parent, []
    given = SETTINGS.cohort.root
    roots = [Path(root) for root in ([given] if isinstance(given, str) else given)]
    if config["demo"]:
        return roots[0], [""]  # made by the workflow
    folder, below, notes = locate_roots(roots, TASK)
    for note in notes:
        say(note)
    return folder, below


ROOT, BELOW_ROOT = cohort_folder()
# What messages call the place of the cases.
COHORT_NAME = SETTINGS.cohort.samples or (
    SETTINGS.cohort.root if isinstance(SETTINGS.cohort.root, str) else " and ".join(SETTINGS.cohort.root)
)


def sheet_patients():
    """The patients of a sample sheet, by case; empty without one, and where it has no such column."""
    sheet = sample_sheet()
    return sheet.patients if sheet else {}


def who_says_patients():
    """What names the patients of all cases: `cohort.patient`, or the sample sheet; None where the cases' names do."""
    return patient_source(sample_sheet(), SETTINGS.cohort.samples, SETTINGS.cohort.patient)
