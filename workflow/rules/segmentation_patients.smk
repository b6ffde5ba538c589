"""The new patients and their models, as set in the section `segment` of the configuration."""

from tumorseg.io.digests import file_digest_or_none, sha256
from tumorseg.networks.held_out_quality import reliability_path
from tumorseg.networks.starter import model_path
from tumorseg.networks.subset_scores import subset_scores_path


@cache
def patients_by_shard():
    """Return the new patients of each non-empty shard who are segmented as they are, without their masks."""
    shards = {}
    for patient in patient_plan().prepared:
        shards.setdefault(shard_of(patient.case, SETTINGS.cohort.shards), []).append(patient)
    return dict(sorted(shards.items()))


def changed_patient_files(wildcards):
    """Return the note about files of a shard that have changed since segmentation, in a list; empty if none has."""
    return changes_note("segmentation", wildcards.batch, patient_plan().folder, patients_by_shard, recorded_patients)


def recorded_patients(shard, cases):
    """Return what the segmentation of a shard has recorded about each file, by path."""
    patients = {
        patient["case"]: patient.get("files", [])
        for patient in read_json(Path(f"results/segmented/{shard}/patients.json"))["patients"]
    }
    return {
        path: file
        for case in cases
        if case.case in patients
        for path, file in recorded_files(case.paths(), patients[case.case]).items()
    }


@cache
def models():
    """Return the models to segment with: their paths, or `starter`.

    They are not inputs: Snakemake would then train if a model is missing or outdated.
    """
    # Imported here: it needs NumPy, which would slow down planning for other targets.
    from tumorseg.segmentation.model_choice import choose_models

    train = f"snakemake --cores all {target_name('verify')}"
    try:
        chosen, notes = choose_models(SETTINGS.segment.models, Path("results"), TASK, folds=len(FOLDS), train=train)
    except UserError as error:
        raise SystemExit(f"{error}") from None
    for note in notes:
        print_note(note)
    return chosen


@cache
def model_digests():
    """Return the SHA-256 of each model."""
    return [sha256(model_path(model)) for model in models()]


@cache
def subset_score_digests():
    """Return the digest of the file of scores beside each model, which the results quote; None if there is none."""
    return [file_digest_or_none(subset_scores_path(model_path(model))) for model in models()]


@cache
def reliability_digests():
    """Return the digest of the file of held-out cases beside each model; None if there is none."""
    return [file_digest_or_none(reliability_path(model_path(model))) for model in models()]


SEGMENTATION_PARAMS = {
    "models": lambda wildcards: models(),
    "digests": lambda wildcards: model_digests(),
    "subset_scores": lambda wildcards: subset_score_digests(),
    "reliability": lambda wildcards: reliability_digests(),
    "settings": settings(
        prediction=config["prediction"],
        execution=EXECUTION,
        figures=config["figures"],
        cohort=select_keys("cohort", "max_voxels"),
    ),
    "task": validation_task,
    "code": code("segment_batch"),
}
"""The params that patients share, whether they are segmented as they are or prepared first."""
