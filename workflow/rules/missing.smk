"""Results that were deleted one by one: made again if that is cheap; otherwise named, with how to make them again.

Snakemake does not miss a file that lies between others, nor one in a folder that a rule makes.
"""

from tumorseg.cohort.splits import validation_cases, read_splits

BY_TARGET = "is missing; to make it again: snakemake --cores all {target}"
TRAINS_AGAIN = "is missing; it is needed only to train again. To make it again, with all that follows: {remedy}"


def existing(function, *arguments):
    """What a function reads from a result; nothing if the result is missing or damaged, which its own rule sees to."""
    try:
        return function(*arguments)
    except (OSError, UserError, ValueError, LookupError, TypeError):
        return []


def incomplete_predictions(wildcards):
    """A note if masks that a fold should have are missing."""
    cases = existing(lambda: validation_cases(read_splits(Path("results/cohort/splits.tsv")), int(wildcards.fold)))
    endings = [".nii.gz", *(["-probabilities.nii.gz"] if config["prediction"]["probabilities"] else [])]
    names = [f"{case}{ending}" for case in cases for ending in endings]
    return made_again(f"results/predictions/fold-{wildcards.fold}", names)


def incomplete_strips(wildcards):
    """A note if pictures of held-out cases are missing."""
    splits = existing(read_splits, Path("results/cohort/splits.tsv"))
    return made_again("results/figures/cases", [f"{row.case}.webp" for row in splits if row.fold >= 0])


def incomplete_batch(wildcards):
    """A note if masks or pictures of a batch of patients are missing."""
    folder = f"results/segmented/{wildcards.batch}"
    return made_again(folder, ["patients.json", *existing(segmented_files, folder)])


def incomplete_segmentations(wildcards):
    """A note if masks, pictures or tables of the patients are missing."""
    names = [name for batch in patients_by_batch() for name in existing(segmented_files, f"results/segmented/{batch}")]
    return made_again("results/segmentations", ["patients.json", "volumes.tsv", *names])


def segmented_files(folder):
    """The files of the patients that are segmented in a batch."""
    endings = [".nii.gz", ".png", *(["-probabilities.nii.gz"] if config["prediction"]["probabilities"] else [])]
    patients = read_json(Path(folder, "patients.json"))["patients"]
    return [f"{patient['case']}{ending}" for patient in patients if not patient["problems"] for ending in endings]


def name_missing(wildcards):
    """No file: asked for by the target `all`, to print which results are missing that it does not make again."""
    if workflow.is_main_process:
        print_missing()
    return []


@cache
def print_missing():
    """Print a line on each missing result that lies before the models, if they are there, and beside checkpoints."""
    before_models = missing_of_cohort() if Path("results/model").exists() else []
    for path, remedy in (*before_models, *missing_of_training()):
        if not Path(path).exists():
            print(f"{path} {remedy}", file=sys.stderr)


def missing_of_cohort():
    """Path and remedy of each result that lies before the first checkpoint."""
    normalise = f"snakemake --cores all {target_name('normalise')} {target_name('all')}"
    validate = BY_TARGET.format(target=target_name("validate"))
    yield "results/cohort/manifest.tsv", validate
    yield "results/cohort/check.json", validate
    yield "results/cohort/splits.tsv", BY_TARGET.format(target=target_name("split"))
    for batch in cases_by_batch():
        folder = f"results/normalised/{batch}"
        yield f"results/cohort/verdicts/{batch}.json", validate
        yield f"results/cohort/previews/{batch}.safetensors", validate
        yield folder, TRAINS_AGAIN.format(remedy=normalise)
        remedy = TRAINS_AGAIN.format(remedy=f"delete {folder}, then {normalise}")
        for verdict in existing(verdicts_of, batch) if Path(folder).exists() else []:
            if verdict.usable:
                yield f"{folder}/{verdict.case}.safetensors", remedy
    for fold in FOLDS:
        data = f"results/training/fold-{fold}/data.json"
        yield data, BY_TARGET.format(target=data)


def missing_of_training():
    """Path and remedy of each file that lies beside a checkpoint."""
    for checkpoint in filter(os.path.exists, CHECKPOINTS):
        remedy = TRAINS_AGAIN.format(remedy=f"delete {checkpoint} and run again")
        for suffix in (".json", ".done"):
            yield str(Path(checkpoint).with_suffix(suffix)), remedy
