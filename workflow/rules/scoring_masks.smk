"""The masks to score, as set in the section `score` of the configuration."""

from tumorseg.configuration.label_maps import score_label_maps
from tumorseg.evaluation.matching import check_baseline, folder_names, masks_digest, match_folders
from tumorseg.task import task_signs_digest


def prediction_folders():
    """Return the folders of predictions; an empty list if none are set."""
    folders = SETTINGS.score.predictions or []
    return [folders] if isinstance(folders, str) else list(folders)


def score_folders():
    """Return the folder of scores for each folder of predictions: results/scores, or a folder below it if several."""
    names = dict.fromkeys(folder_names([Path(folder) for folder in prediction_folders()]))
    return expand("results/scores/{name}", name=names) if len(names) > 1 else ["results/scores"]


def score_files(name):
    """Return the file of this name in each folder of scores."""
    return [f"{folder}/{name}" for folder in score_folders()]


def comparison_files(stem):
    """Return the table and the JSON file of a comparison of folders; an empty list for a single folder."""
    return [f"results/scores/{stem}.{suffix}" for suffix in ("csv", "json")] if len(score_folders()) > 1 else []


@cache
def scored_masks_digest():
    """Return the digest of all masks to score. Stop with a message if there is nothing to score."""
    check_targets()
    for key in ("predictions", "references"):
        if not getattr(SETTINGS.score, key):
            raise SystemExit(f"score.{key}: no folder is given; add --config predictions=DIR references=DIR")
    references, predictions = Path(SETTINGS.score.references), [Path(folder) for folder in prediction_folders()]
    try:
        matches = match_folders(references, predictions, TASK)
        check_baseline(SETTINGS.score.baseline, [*matches])
        return masks_digest(matches, references, SETTINGS.cohort.max_voxels)
    except UserError as error:
        raise SystemExit(f"{error}") from None
