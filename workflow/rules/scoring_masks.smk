"""What is scored: folders of masks, from wherever, as the section `score` of the configuration says."""

from tumorseg.configuration.label_maps import score_label_maps
from tumorseg.evaluation.matching import masks_digest
from tumorseg.evaluation.matching import match_folders
from tumorseg.evaluation.matching import folder_names
from tumorseg.task import task_signs_digest


def scored_folders():
    """The folders of predictions; none where the section is not filled in."""
    given = SETTINGS.score.predictions or []
    return [given] if isinstance(given, str) else list(given)


def score_places():
    """The folder of each one's scores: of a single one that of all scores, of several ones a folder by its name."""
    names = dict.fromkeys(folder_names([Path(folder) for folder in scored_folders()]))
    return expand("results/scores/{name}", name=names) if len(names) > 1 else ["results/scores"]


@cache
def scored_masks():
    """The digest of all masks that are scored. Ends with a sentence where there is nothing to score."""
    check_targets()
    for key in ("predictions", "references"):
        if not getattr(SETTINGS.score, key):
            raise SystemExit(f"score.{key}: no folder is given; add --config predictions=DIR references=DIR")
    predictions, references = [Path(folder) for folder in scored_folders()], Path(SETTINGS.score.references)
    try:
        return masks_digest(match_folders(predictions, references, TASK), references, SETTINGS.cohort.max_voxels)
    except UserError as error:
        raise SystemExit(f"{error}") from None
