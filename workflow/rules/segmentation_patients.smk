"""Who is segmented, and by which models, as the section `segment` of the configuration says."""

from dataclasses import replace

from tumorseg.io.files import sha256


@cache
def patient_folder():
    """The folder of the new patients' folders, and the case that alone is meant where its own folder was given."""
    check_targets()
    cases = SETTINGS.segment.cases
    if cases is None:
        raise SystemExit("segment.cases: no folder is given; add --config patients=DIR")
    root = Path(cases)
    folder, note = locate_cohort_folder(root, TASK, "segment.cases")
    if folder in (root.parent, root / ".."):
        return folder, root.resolve().name
    if note:
        print(note, file=sys.stderr)
    return folder, None


@cache
def patients_by_batch():
    """The new patients of each batch that has any, less their masks."""
    folder, only_case = patient_folder()
    try:
        found = discover_cases(folder, TASK, "segment.cases", masks=False, note=say)
    except UserError as error:
        raise SystemExit(f"{error}") from None
    batches = {}
    for patient in found:
        if only_case is None or only_case in (patient.case, patient.folder):
            files = {role: names for role, names in patient.files.items() if role != "seg"}
            batch = shard_of(patient.case, SETTINGS.cohort.shards)
            batches.setdefault(batch, []).append(replace(patient, files=files))
    return dict(sorted(batches.items()))


def changed_patient_files(wildcards):
    """The note about the patients' files in a batch that have changed since they were segmented; none if none has."""
    return note_of_changes("segmentation", wildcards.batch, patient_folder()[0], patients_by_batch, recorded_patients)


def recorded_patients(batch, cases):
    """What the record of a batch of patients says about each of their files."""
    patients = {
        patient["case"]: patient.get("files", [])
        for patient in read_json(Path(f"results/segmented/{batch}/patients.json"))["patients"]
    }
    return {
        path: file
        for case in cases
        if case.case in patients
        for path, file in recorded_files(case.paths(), patients[case.case]).items()
    }


@cache
def models():
    """The files of the models that segment.

    They are no inputs: Snakemake would bring them up to date, and train.
    """
    # Imported here: it needs NumPy, and other plans are made sooner without it.
    from tumorseg.networks.model_header import read_header
    from tumorseg.task.compatibility import require_task

    named = SETTINGS.segment.models
    files = [named] if isinstance(named, str) else list(named or ())
    if named is None:
        files = sorted(str(path) for path in Path("results/model").glob("fold-*.safetensors"))
        if len(files) not in (0, len(FOLDS)):
            print(
                f"segment: {len(files)} models lie in results/model, while cohort.folds is {len(FOLDS)}; the mean of all "
                "is taken: name those that you mean in segment.models",
                file=sys.stderr,
            )
    if not files:
        raise SystemExit(
            "segment: there is no model in results/model; train one, for instance with `snakemake --cores all "
            f"{target_name('verify')}`, or name the files of models in segment.models"
        )
    if missing := [file for file in files if not os.path.lexists(file)]:
        raise SystemExit(f"segment.models: there is no file {missing[0]}; correct the path")
    try:
        for file in files:
            require_task(Path(file), read_header(Path(file)).task, TASK)
    except UserError as error:
        raise SystemExit(f"segment.models: {error}") from None
    return files


@cache
def model_digests():
    """The SHA-256 of each model that segments."""
    return [sha256(Path(model)) for model in models()]
