"""Prepare the cases of a cohort with their masks, and validate them.

Needs: cohort.prepare, the cohort. Makes: results/prepared_cohort/{patient} with the images and the mask on the grid of
the atlas, and the validation results of these cases. The shards of prepared cases have names of their own.
"""

COHORT_STEPS = f"results/{COHORT_CASES}"


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


rule prepare_case:
    """Lay out the images of a case on the atlas with its mask."""
    input:
        images=of_patient(rules.convert, COHORT_CASES),
        coregistered=of_patient(rules.coregister, COHORT_CASES),
        brain=of_patient(rules.extract_brain, COHORT_CASES),
        atlas=of_patient(rules.to_atlas, COHORT_CASES),
        changed=changed_masks,
        incomplete=incomplete_case,
    output:
        directory("results/prepared_cohort/{patient}"),
    log:
        f"results/logs/{COHORT_CASES}/{{patient}}/prepare_case.log",
    benchmark:
        f"results/benchmarks/{COHORT_CASES}/{{patient}}/prepare_case.tsv"
    conda:
        "../../envs/light.yaml"
    resources:
        **scaled(mem_mb=3000, runtime=30),
    params:
        steps=lambda wildcards: f"{COHORT_STEPS}/{wildcards.patient}",
        case=lambda wildcards: case_to_json(prepared_cases()[wildcards.patient]),
        masks=lambda wildcards: list(cohort_plan().masks[wildcards.patient]),
        labels=config["cohort"]["labels"],
        task=TASK_FACTS,
        code=code("prepare_case"),
    shell:
        'python "$SCRIPTS/prepare_case.py" --case {params.case:q} --steps {params.steps:q}'
        " --coregistered {input.coregistered:q} --masks {params.masks:q} --labels {params.labels:q}"
        ' --task "$TASK" --output {output:q} --log {log:q}'


rule validate_prepared:
    """Validate a shard of the prepared cases like any cases, and list the problems of their preparation."""
    input:
        cases=prepared_folders,
        changed=changed_files,
    output:
        validation_results="results/cohort/verdicts/{batch}.json",
        previews="results/cohort/previews/{batch}.safetensors",
    log:
        "results/logs/validate_prepared/{batch}.log",
    benchmark:
        "results/benchmarks/validate_prepared/{batch}.tsv"
    wildcard_constraints:
        batch=r"prepared-\d+",
    conda:
        "../../envs/light.yaml"
    resources:
        **scaled(mem_mb=1500, runtime=60),
    params:
        cases=shard_cases,
        # For the key of the between-workflow cache of later rules: the keys of jobs do not know what a folder holds.
        files=source_identities,
        settings=settings(**select_keys("cohort", "labels", "shape", "max_voxels", "empty_masks")),
        task=validation_task,
        code=code("validate_prepared"),
    shell:
        'python "$SCRIPTS/validate_prepared.py" --cases {params.cases:q} --task "$TASK" --settings {params.settings:q}'
        " --output {output.validation_results:q} --previews {output.previews:q} --log {log:q}"
