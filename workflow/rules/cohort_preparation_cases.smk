"""The cases of a cohort: which are prepared first, and what has changed since their preparation."""

@cache
def cohort_plan():
    """Return the cases of the cohort. Print which of them are prepared first, and why."""
    # Imported here: it needs NumPy, which would slow down planning without preparation.
    from tumorseg.preparation.cohort_plan import plan_cohort, plan_listed_cohort

    decisions, prepare = remembered_decisions("prepared_cohort.json"), SETTINGS.cohort.prepare
    try:
        if sheet := sample_sheet():
            folder = Path(SETTINGS.cohort.samples).parent
            plan = plan_listed_cohort(folder, sheet.cases, prepare, decisions.decide)
        else:
            given = SETTINGS.cohort.root
            roots = [Path(root) for root in ([given] if isinstance(given, str) else given)]
            plan = plan_cohort(roots, TASK, prepare, decisions.decide, print_note)
    except UserError as error:
        raise SystemExit(f"{error}") from None
    if workflow.is_main_process:
        decisions.save()
        for note in plan.notes():
            print_note(f"cohort: {note}")
    return plan


@cache
def prepared_cases():
    """Return the cases that are prepared first, with the files that the preparation makes; none without preparation."""
    if not PREPARES_COHORT:
        return {}
    from tumorseg.preparation.cohort_plan import prepared_case_files  # imported here for the same reason

    return {
        source.case: prepared_case_files(source, "results/prepared_cohort", TASK) for source in cohort_plan().to_prepare
    }


def cohort_shard_of(case):
    """Return the shard of a case: `batch-` and a number, or `prepared-` and a number if it is prepared first."""
    shard = shard_of(case, SETTINGS.cohort.shards)
    return shard.replace("batch", "prepared") if case in prepared_cases() else shard


def prepared_folders(wildcards):
    """Return the folders of the prepared cases of a shard."""
    return [case.folder for case in cases_by_shard()[wildcards.batch]]


@cache
def files_of_masks():
    """Return the files that may be the mask of each case, as `changes_note` expects them."""
    return {case: [SourceFiles(case, masks)] for case, masks in cohort_plan().masks.items()}


def recorded_masks(patient, cases):
    """Return what the preparation of a case has recorded about each file that may be the mask, by path."""
    facts = read_json(Path(f"results/prepared_cohort/{patient}/record.json"))["facts"]
    return recorded_files([path for case in cases for path in case.paths()], facts["mask_files"])


def changed_masks(wildcards):
    """Return the note about a mask that has changed since its preparation, in a list; empty if it has not."""
    return changes_note("cohort-masks", wildcards.patient, cohort_plan().root, files_of_masks, recorded_masks)


def incomplete_case(wildcards):
    """Return a note, in a list, if files of a prepared case are missing."""
    folder = f"results/prepared_cohort/{wildcards.patient}"
    names = read_if_valid(lambda: read_json(Path(folder, "record.json"))["facts"].get("files", []))
    return note_incomplete_folder(folder, ["record.json", *names])


def source_identities(wildcards, input):
    """Return the inode and change time of each source file of a shard, as `raw_file_identities`."""
    cases = [case.case for case in cases_by_shard()[wildcards.batch]]
    of_masks, of_images = files_of_masks(), files_of_sources(COHORT_CASES)
    sources = [source for case in cases for source in (*of_images[case], *of_masks[case])]
    statuses = [file_status(os.path.join(cohort_plan().root, path)) for source in sources for path in source.files]
    return [[status.st_ino, status.st_ctime_ns] if status else None for status in statuses]
