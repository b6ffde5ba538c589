"""Detect changed raw files and incomplete folders of results.

Raw files are not inputs of rules: Snakemake would compare their dates, and stop at a file that is unreadable or dated
in the future. If a raw file has changed since its job recorded it, a note in .snakemake/contents becomes an input of
that job.
"""

from tumorseg.cohort.layouts.listing import abbreviate
from tumorseg.cohort.validation_result import read_validation_results
from tumorseg.io.changed_files import file_status, find_changed_files, recorded_files
from tumorseg.io.digests import file_digest_or_none
from tumorseg.io.incomplete_folders import note_missing_files

CONTENTS = Path(".snakemake/contents")


def demo_files(wildcards):
    """Return the files of the demo cohort in a shard, which a rule makes; none for other cohorts."""
    cases = {case.case for case in cases_by_shard()[wildcards.batch]}
    return sorted({str(ROOT / name) for case in demo_cases() if case.case in cases for name in case.files.values()})


def changed_files(wildcards):
    """Return the note about files of a shard that have changed since validation, in a list; empty if none has."""
    return changes_note("validation", wildcards.batch, ROOT, cases_by_shard, recorded_at_validation)


def recorded_at_validation(shard, cases):
    """Return what the validation of a shard has recorded about each file, by path."""
    facts = {result.case: result.facts for result in validation_results(shard)}
    return {
        path: file
        for case in cases
        if (case_facts := facts.get(case.case)) is not None
        for path, file in recorded_files(
            case.paths(), [*case_facts["files"].values(), *case_facts["other_files"]]
        ).items()
    }


@cache
def validation_results(shard):
    """Return the validation results of a shard as they are before anything runs."""
    return read_validation_results(Path(f"results/cohort/verdicts/{shard}.json"))


def changes_note(stage, shard, root, cases_by_shard, recorded):
    """Return the path of a shard's note in a list; empty if there is no note."""
    if workflow.is_main_process:  # processes on the nodes of a cluster read the notes of this one
        find_changes_once(stage, root, cases_by_shard, recorded)
    note = CONTENTS / stage / f"{shard}.json"
    return [str(note)] if note.exists() else []


@cache
def find_changes_once(stage, root, cases_by_shard, recorded):
    """Write the notes of all shards, and print the changed files and those dated in the future."""
    shards = cases_by_shard()
    records = {}
    for shard, cases in shards.items():
        try:
            records[shard] = recorded(shard, cases)
        except (OSError, UserError, ValueError, LookupError, TypeError):
            pass  # no record yet, or a corrupted one, which the rule that reads it reports
    files = {shard: [path for case in cases for path in case.paths()] for shard, cases in shards.items()}
    try:
        found = find_changed_files(CONTENTS / stage, root, files, records)
    except UserError as error:
        raise SystemExit(f"{error}") from None
    for paths, message in (
        (found.changed, "changed since the last run, and read again"),
        (found.future, "dated in the future, which does no harm; correct the date, for instance with touch"),
    ):
        if paths:
            print(f"{stage}: {abbreviate(paths, 3)}: {message}", file=sys.stderr)


def note_incomplete_folder(folder, expected):
    """Return the path of a note, in a list, if a folder of results lacks files; an empty list if it is complete.

    The note is an input of the job that makes the folder, which then runs again. Folders are not checked while another
    run has its locks, since it may still be writing them.
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
