"""Validate, segment and draw one new patient, or record why it was not segmented."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorseg.cli.console import logger
from tumorseg.clinical.measures import measure_mask, measure_warnings
from tumorseg.cohort.background import backgrounds_from_facts
from tumorseg.cohort.case_files import CaseFiles
from tumorseg.cohort.case_validation import validate_case
from tumorseg.cohort.validated_files import reread_images
from tumorseg.cohort.validation_result import Issue, ValidationResult
from tumorseg.errors import UserError
from tumorseg.inference.predictor import NonFiniteOutputError
from tumorseg.inference.segmenter import Segmenter
from tumorseg.io.volume_limits import DEFAULT_MAX_VOXELS
from tumorseg.networks.model import ModelCard
from tumorseg.networks.notices import distinct_notices
from tumorseg.plotting.case_view import make_case_view
from tumorseg.plotting.contours import patient_sheet
from tumorseg.plotting.style import FigureSettings, save_figure
from tumorseg.plotting.viewer_volumes import write_viewer_script
from tumorseg.preprocessing.crop import cropped_affine
from tumorseg.preprocessing.normalisation import normalise_on_cropped_grid
from tumorseg.preprocessing.resampling import ResampledSizeError, resample_image, target_spacing_mm
from tumorseg.preprocessing.store import Origin
from tumorseg.segmentation.missing_channels import check_channels
from tumorseg.segmentation.models import merge_training_facts
from tumorseg.segmentation.patient_warnings import new_patient_warnings, validation_warnings
from tumorseg.segmentation.result_files import files_of_job, picture_file, viewer_file
from tumorseg.segmentation.results import PatientResult, trust_lines
from tumorseg.segmentation.trust import judge_mask, with_trust
from tumorseg.segmentation.used_model import UsedModel
from tumorseg.task import Task


def segment_patient(
    root: Path,
    files: CaseFiles,
    segmenter: Segmenter,
    models: Sequence[UsedModel],
    *,
    task: Task,
    folder: Path,
    figures: FigureSettings,
    max_voxels: int = DEFAULT_MAX_VOXELS,
    warnings: Sequence[Issue] = (),
) -> PatientResult:
    """Validate the images of a patient, segment them, and write its mask, its picture and its file of the viewer.

    The mask is on the grid of the case. Problems with the images are recorded in the result. A patient may lack images
    if all models were trained for that, see `check_channels`.

    Args:
        root: folder of the case folders.
        files: files of the case.
        segmenter: segmenter with the models.
        models: these models; the patient is compared with their training cases.
        task: task of the case. The models' task has the same channels and labels.
        folder: folder for the mask and the figure.
        figures: settings of the figure.
        max_voxels: see `io.volume.read_volume`.
        warnings: of the preparation of the patient.

    Returns:
        The result of the patient.

    Raises:
        UserError: the machine has a problem, such as a full disk or too little memory. The job fails, and the next run
            tries again.
    """
    found, _ = validate_case(
        root,
        files,
        task=task.with_optional_channels(),
        shape=None,
        labels="auto",
        with_mask=False,
        max_voxels=max_voxels,
    )
    channels = task.channels_among([role for role, paths in files.files.items() if paths])
    cards = [model.card for model in models]
    checked = check_channels(found, channels, models, segmenter.section, task)
    validation = checked.validation
    if validation.usable:
        found_now = tuple(
            new_patient_warnings(
                validation,
                merge_training_facts([card.trained_on for card in cards]),
                task,
                target_spacing_mm(cards[0].normalisation),
                distinct_notices(card.notice for card in cards),
            )
        )
        unsegmented = PatientResult(
            validation.case,
            warnings=(*warnings, *found_now),
            expected_dice=checked.expected_dice,
            channels=channels,
        )
        patient = _segment_or_report(unsegmented, root, validation, segmenter, models, folder=folder, figures=figures)
    else:
        codes = ",".join(dict.fromkeys(problem.code for problem in validation.problems))
        detail = " ".join(" | ".join(validation.reasons()).split())
        patient = PatientResult(validation.case, codes, detail, (*warnings, *validation_warnings(validation)))
    return replace(patient, channels=channels, files=_file_records(validation))


def _segment_or_report(
    patient: PatientResult,
    root: Path,
    validation: ValidationResult,
    segmenter: Segmenter,
    models: Sequence[UsedModel],
    *,
    folder: Path,
    figures: FigureSettings,
) -> PatientResult:
    try:
        return _segment(patient, root, validation, segmenter, models, folder=folder, figures=figures)
    except NonFiniteOutputError as error:
        return replace(patient, problems="not_finite_prediction", detail=str(error))
    except ResampledSizeError as error:
        return replace(patient, problems="too_large_after_resampling", detail=str(error))
    except UserError:
        raise
    except (OSError, MemoryError, RuntimeError) as error:  # torch raises RuntimeError if memory or a GPU is missing
        raise UserError(
            f"{validation.case}: not segmented because of a problem of the machine ({type(error).__name__}: {error}); "
            "free memory, check the disk and the GPU, and run again"
        ) from error
    except Exception as error:
        logger.exception("%s: unexpected error", validation.case)
        for name in files_of_job(validation.case, probabilities=True):
            (folder / name).unlink(missing_ok=True)  # a case that counts as not segmented must not have a mask
        return replace(patient, problems="failed", detail=f"{type(error).__name__}: {error}")


def _segment(
    patient: PatientResult,
    root: Path,
    validation: ValidationResult,
    segmenter: Segmenter,
    models: Sequence[UsedModel],
    *,
    folder: Path,
    figures: FigureSettings,
) -> PatientResult:
    cards = [model.card for model in models]
    image, origin = _normalise(root, validation, cards[0])  # on the cropped grid, which the picture shows
    notice = next(iter(distinct_notices(card.notice for card in cards)), None)
    mark = notice.mark if notice else ""
    resampled = resample_image(image, origin.resampled)
    segmentation = segmenter.segment(folder, resampled, origin, cards[0].convention, mark=mark)
    mm3 = {
        structure: float(np.count_nonzero(np.isin(segmentation.mask, labels)) * origin.voxel_mm3)
        for structure, labels in segmenter.task.structures.items()
    }
    measures = measure_mask(segmentation.mask, cropped_affine(origin), segmenter.task)
    patient = replace(patient, measures=measures)
    patient = replace(patient, warnings=(*patient.warnings, *measure_warnings(patient.case, measures)))
    trust = judge_mask(
        mm3,
        segmentation.quality,
        channels=patient.channels,
        warnings=patient.warning_codes,
        models=models,
        prediction=segmenter.section,
        task=segmenter.task,
    )
    patient = with_trust(replace(patient, volumes=mm3), trust, segmentation.quality)
    view = make_case_view(
        origin,
        image,
        task=segmenter.task,
        title=_figure_title(validation.case, mm3, segmenter.task),
        scores=None,
        reference=None,
        prediction=segmentation.mask,
    )
    notes = [notice.detail] if notice and notice.detail else []  # the banner shows the mark
    shown = notice.text if notice else ""
    notes += [f"Look at this one: {'; '.join(patient.attention)}"] if patient.attention else []
    notes += trust_lines(patient, list(segmenter.task.region_labels))
    notes += [f"Warning: {message}" for message in patient.warning_messages if message != shown]
    sheet = patient_sheet(view, figures.colours, segmenter.task, banner=mark, notes=notes)
    save_figure(sheet, [folder / picture_file(validation.case)], figures.dpi)
    write_viewer_script(folder / viewer_file(validation.case), view, segmenter.task)
    return replace(patient, windowed=segmentation.windowed, changed=segmentation.changed)


def _normalise(root: Path, validation: ValidationResult, card: ModelCard) -> tuple[NDArray[np.float16], Origin]:
    """Return the normalised image on the cropped grid and its origin."""
    # This is a separate function so that the volumes are freed before the network needs the memory.
    volumes = reread_images(root, validation.facts, card.task)
    backgrounds = backgrounds_from_facts(validation.facts)
    return normalise_on_cropped_grid(
        validation.case, volumes, task=card.task, backgrounds=backgrounds, convention=None, settings=card.normalisation
    )


def _figure_title(case: str, mm3: Mapping[str, float], task: Task) -> str:
    volumes = (f"{region.title} {mm3[region.name] / 1000:.1f} ml" for region in task.regions)
    return f"{case}: {', '.join(volumes)}"


def _file_records(validation: ValidationResult) -> list[dict[str, Any]]:
    """Return path, size and digest of the files that were read. A later run compares them to detect changes."""
    files = [*validation.facts["files"].values(), *validation.facts["other_files"]]
    return [{key: file[key] for key in ("path", "bytes", "digest")} for file in files]
