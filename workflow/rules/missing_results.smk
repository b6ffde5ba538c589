"""Handle single deleted results: make them again if that is cheap, otherwise print how to make them again.

Snakemake notices neither a missing intermediate file nor a missing file in a folder that a rule makes.
"""

from tumorseg.cohort.splits import validation_cases, read_splits
from tumorseg.segmentation.result_files import NIIVUE_FILE, PAGE_FILE, files_of_job, page_file

BY_TARGET = "is missing; to make it again: snakemake {target}"
TRAINS_AGAIN = "is missing; it is needed only for training. To make it and everything after it again: {remedy}"


def read_if_valid(function, *arguments):
    """Return what a function reads from a result; an empty list if the result is missing or corrupted."""
    try:
        return function(*arguments)
    except (OSError, UserError, ValueError, LookupError, TypeError):  # the rules that use the result report the error
        return []


def held_out_names(fold):
    """Return the names of the held-out cases of a fold; an empty list if the table of splits is missing."""
    return read_if_valid(lambda: validation_cases(read_splits(Path("results/cohort/splits.tsv")), int(fold)))


def incomplete_predictions(wildcards):
    """Return a note, in a list, if predictions of a fold are missing."""
    endings = [".nii.gz", *(["-probabilities.nii.gz"] if config["prediction"]["probabilities"] else [])]
    names = [f"{case}{ending}" for case in held_out_names(wildcards.fold) for ending in endings]
    return note_incomplete_folder(f"results/predictions/fold-{wildcards.fold}", names)


def incomplete_unprocessed(wildcards):
    """Return a note, in a list, if predictions of a fold without post-processing are missing."""
    folder = f"results/postprocessing/predictions/fold-{wildcards.fold}"
    return note_incomplete_folder(folder, [f"{case}.nii.gz" for case in held_out_names(wildcards.fold)])


def incomplete_strips(wildcards):
    """Return a note, in a list, if thumbnails of held-out cases are missing."""
    splits = read_if_valid(read_splits, Path("results/cohort/splits.tsv"))
    return note_incomplete_folder("results/figures/cases", [f"{row.case}.webp" for row in splits if row.fold >= 0])


def incomplete_shard(wildcards):
    """Return a note, in a list, if masks or pictures of a shard of patients are missing."""
    folder = f"results/segmented/{wildcards.batch}"
    return note_incomplete_folder(folder, ["patients.json", *read_if_valid(segmented_files, folder)])


def incomplete_segmentations(wildcards):
    """Return a note, in a list, if masks, pictures, pages or tables of the patients are missing."""
    folders = [f"results/segmented/{shard}" for shard in patients_by_shard()]
    folders += [f"results/prepared/{patient}/segmented" for patient in sources_to_prepare()]
    names = [
        name for read in (segmented_files, patient_pages) for folder in folders for name in read_if_valid(read, folder)
    ]
    names += read_if_valid(course_files, "results/segmentations")
    return note_incomplete_folder(
        "results/segmentations", ["patients.json", "volumes.tsv", PAGE_FILE, NIIVUE_FILE, *names]
    )


def course_files(folder):
    """Return the names of the files about patients with several time points in the folder of all masks."""
    return read_json(Path(folder, "patients.json"))["how"].get("courses", [])


def segmented_files(folder):
    """Return the names of the files of the segmented patients in the folder of a shard."""
    patients = read_json(Path(folder, "patients.json"))["patients"]
    cases = [patient["case"] for patient in patients if not patient["problems"]]
    return [name for case in cases for name in files_of_job(case, probabilities=config["prediction"]["probabilities"])]


def patient_pages(folder):
    """Return the names of the pages of the patients in the folder of a shard."""
    return [page_file(patient["case"]) for patient in read_json(Path(folder, "patients.json"))["patients"]]


def report_missing(wildcards):
    """Return no files. Print the missing results that the target `all` does not make again."""
    if workflow.is_main_process:
        print_missing()
    return []


@cache
def print_missing():
    """Print a line for each missing file beside a checkpoint. If models exist, also for each missing earlier result."""
    earlier_results = results_before_training() if Path("results/model").exists() else []
    for path, remedy in (*earlier_results, *files_beside_checkpoints()):
        if not Path(path).exists():
            print(f"{path} {remedy}", file=sys.stderr)


def results_before_training():
    """Yield each result that is made before the first checkpoint: its path, and what to do if it is missing."""
    normalise = f"snakemake {target_name('normalise')} {target_name('all')}"
    validate = BY_TARGET.format(target=target_name("validate"))
    yield "results/cohort/manifest.tsv", validate
    yield "results/cohort/check.json", validate
    yield "results/cohort/splits.tsv", BY_TARGET.format(target=target_name("split"))
    for case in prepared_cases().values():
        yield case.folder, BY_TARGET.format(target=case.folder)
    for shard in cases_by_shard():
        folder = f"results/normalised/{shard}"
        yield f"results/cohort/verdicts/{shard}.json", validate
        yield f"results/cohort/previews/{shard}.safetensors", validate
        yield folder, TRAINS_AGAIN.format(remedy=normalise)
        remedy = TRAINS_AGAIN.format(remedy=f"delete {folder}, then {normalise}")
        for result in read_if_valid(validation_results, shard) if Path(folder).exists() else []:
            if result.usable:
                yield f"{folder}/{result.case}.safetensors", remedy
    for fold in FOLDS:
        data = f"results/training/fold-{fold}/data.json"
        yield data, BY_TARGET.format(target=data)


def files_beside_checkpoints():
    """Yield each file beside a checkpoint: its path, and what to do if it is missing."""
    for checkpoint in filter(os.path.exists, CHECKPOINTS):
        remedy = TRAINS_AGAIN.format(remedy=f"delete {checkpoint} and run again")
        for suffix in (".json", ".done"):
            yield str(Path(checkpoint).with_suffix(suffix)), remedy
