"""Raw files are no inputs of rules: Snakemake would go by their dates, and stop at one that is closed or dated ahead.

An input of each job that reads them is the note in .snakemake/contents about those that have changed since its record
was written. Without such a change there is no note.
"""

from tumorseg.io.changed_files import file_digest, recorded_files, file_status, find_changed_files
from tumorseg.cohort.layouts.listing import abbreviate
from tumorseg.cohort.validation_result import read_validation_results
from tumorseg.io.incomplete_folders import note_missing_files

CONTENTS = Path(".snakemake/contents")


def demo_files(wildcards):
    """The demo's files in a batch, which a rule makes; none of other cohorts."""
    cases = {case.case for case in cases_by_batch()[wildcards.batch]}
    return sorted({str(ROOT / name) for case in demo_cases() if case.case in cases for name in case.files.values()})


def changed_files(wildcards):
    """The note about the files of a batch that have changed since they were validated, in a list; none if none has."""
    return note_of_changes("validation", wildcards.batch, ROOT, cases_by_batch, recorded_verdicts)


def recorded_verdicts(batch, cases):
    """What the verdicts of a batch say about each of its files."""
    facts = {verdict.case: verdict.facts for verdict in verdicts_of(batch)}
    return {
        path: file
        for case in cases
        if (known := facts.get(case.case)) is not None
        for path, file in recorded_files(case.paths(), [*known["files"].values(), *known["other_files"]]).items()
    }


@cache
def verdicts_of(batch):
    """The verdicts of a batch, as they are before anything runs."""
    return read_validation_results(Path(f"results/cohort/verdicts/{batch}.json"))


def note_of_changes(stage, batch, root, cases_by_batch, recorded):
    """The path of a batch's note, in a list; none if there is none."""
    if workflow.is_main_process:  # the others, on the nodes of a cluster, read what this one has noted
        survey_once(stage, root, cases_by_batch, recorded)
    note = CONTENTS / stage / f"{batch}.json"
    return [str(note)] if note.exists() else []


@cache
def survey_once(stage, root, cases_by_batch, recorded):
    """Note which files have changed, and name them and those that are dated in the future."""
    batches = cases_by_batch()
    records = {}
    for batch, cases in batches.items():
        try:
            records[batch] = recorded(batch, cases)
        except (OSError, UserError, ValueError, LookupError, TypeError):
            pass  # no record yet, or a damaged one, which the rule that reads it names
    files = {batch: [path for case in cases for path in case.paths()] for batch, cases in batches.items()}
    try:
        found = find_changed_files(CONTENTS / stage, root, files, records)
    except UserError as error:
        raise SystemExit(f"{error}") from None
    for paths, what in (
        (found.changed, "changed since the last run, and read again"),
        (found.future, "dated in the future, which does no harm; correct the date, for instance with touch"),
    ):
        if paths:
            print(f"{stage}: {abbreviate(paths, 3)}: {what}", file=sys.stderr)


def made_again(folder, expected):
    """A note, in a list, if the folder made by a job lacks some of its files; the job then runs again.

    While another run is under way (its locks are there, this one's are not yet), its folders are not complete.
    """
    note = CONTENTS / "incomplete" / f"{'-'.join(Path(folder).parts)}.json"
    if workflow.is_main_process and not list(Path(".snakemake/locks").glob("*.lock")):
        try:
            missing = note_missing_files(Path(folder), expected, note)
        except UserError as error:
            raise SystemExit(f"{error}") from None
        if missing:
            print(f"{folder} lacks {abbreviate(missing, 3)}; the folder is made again", file=sys.stderr)
    return [str(note)] if note.exists() else []
