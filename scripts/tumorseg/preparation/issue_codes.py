"""Codes of the problems and warnings of the preparation of patients."""

from typing import Final

PREPARATION_PROBLEMS: Final[dict[str, str]] = {
    "archive": "The images are in an archive that must be extracted.",
    "brain_extraction_failed": "What was found as brain has not the volume or the shape of one.",
    "conversion_failed": "A DICOM series could not be converted to one volume with the same geometry.",
    "corrupted_dicom": "DICOM files cannot be read, or end before their last pixel.",
    "equal_images": "Several images fit a channel equally well.",
    "equal_voxels": "Two channels have the same voxels, so one is a copy.",
    "image_too_large": "An image has more voxels than the preparation reads.",
    "localizer_only": "There is only a localizer.",
    "mask_fits_no_image": "The mask lies on the grid of none of the images.",
    "mask_outside_atlas": "A label of the mask lies outside the atlas, or all of it.",
    "missing_slices": "Slices of a series are missing.",
    "no_brain": "No brain was found in the image.",
    "no_images": "There is no image in DICOM or NIfTI.",
    "no_usable_image": "No image was recognised as a channel of the task.",
    "other_body_part": "The images show another body part than the head.",
    "other_modality": "The images are not MR.",
    "registration_failed": "An image could not be brought into the space of the others, or the brain into the atlas.",
    "several_dates": "The images are from several dates, which must not be mixed.",
    "several_masks": "Several files are named like the mask.",
    "several_patients": "The images belong to several patients.",
    "sheet_path": "A path in the sample sheet is no image.",
    "too_few_slices": "An image has too few slices to show a brain.",
}
"""Description of each problem code; a problem stops its patient."""
PREPARATION_WARNINGS: Final[dict[str, str]] = {
    "brain_at_image_border": "The field of view cuts through the brain.",
    "brain_extracted_before": "The image shows the brain alone already; its own outline is used.",
    "brain_volume_unusual": "The brain is smaller or larger than usual in adults.",
    "channel_not_found": "No image was recognised as one of the channels.",
    "chosen_by_timings": "An image was recognised by the timings of its sequence alone.",
    "corrupted_dicom": "DICOM files that were not needed cannot be read.",
    "derived_image": "An image was computed from others or processed; no original one was found.",
    "doubtful_contrast_agent": "The names leave it open whether a T1 was made before or after contrast agent.",
    "invalid_date": "The StudyDate of a DICOM series is no date.",
    "label_lost": "A label of the mask is lost on the atlas, or on an image: too small for a voxel, or outside.",
    "label_voxels_kept": "A thin label of the mask got its voxels by its volume, since interpolation would lose it.",
    "large_field_of_view": "An image is larger than a head; its voxel edges may be wrong.",
    "mask_volume_changed": "The volume of a label differs between the mask on the atlas and the mask on an image.",
    "missing_instances": "The images of a series are not numbered without a gap from 1.",
    "nifti_beside_dicom": "NIfTI files lie beside the DICOM files and are not used.",
    "no_dicom_segmentation": "The mask was not written as DICOM, because of the files of the source series.",
    "partial_field_of_view": "An image shows only a part of the brain, or the atlas covers only a part of it.",
    "registration_doubtful": "An image may not lie exactly over the others, or the brain over the atlas.",
    "several_images": "Several images fit a channel; the better one was used.",
    "several_studies": "The images come from several studies.",
    "small_field_of_view": "An image is too small to show a whole brain.",
}
"""Description of each warning code; a warning does not stop its patient."""
