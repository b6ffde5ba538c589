"""The validation result of a case: issues, their codes, and the JSON file of a shard's results."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from tumorseg.errors import Message
from tumorseg.io.files import read_json, write_json

FORMAT_VERSION = 1


@dataclass(frozen=True)
class Issue:
    """A problem or warning about a file or case.

    Attributes:
        code: code in `PROBLEM_CODES` or `WARNING_CODES`.
        file: path relative to the root; the name of the case if the issue concerns no single file.
        message: what is wrong and what to do.
    """

    code: str
    file: str
    message: Message


@dataclass(frozen=True)
class ValidationResult:
    """The issues of a case, and the facts found by reading all its files.

    Attributes:
        case: name of the case.
        usable: whether it has no problem.
        problems: issues that drop the case.
        warnings: issues that do not.
        facts: facts that could be determined:

            - `shape` in voxels, `spacing` in mm and `affine` of the images
            - `oriented`, false if the headers of the images give no orientation
            - `intensities` of each modality without problems (see `image_checks.image_intensity_facts`)
            - `background` of each modality without problems (see `Background`)
            - `brain_voxels`, estimated from samples
            - `labels`, number of voxels of each mask value on disk
            - `label_1`, `label_2` and so on, number of voxels of each canonical label
            - `convention` of the mask, null if it shows no enhancing tumour
            - `tumour_crc32`, equal for masks with equal labels
            - `files`, for each role `path`, `bytes`, `digest` (see `Volume`) and number of `voxels`; images also have
              `sample_digest`, which is equal for images with equal values at the sampled positions
            - `other_files`, `role`, `path`, `bytes` and `digest` of each corrupted or unused file; the digest is null
              if the file is too large or unreadable
            - `not_understood`, names of files that may be images of the case but have no role
            - `patient`, if the folder layout defines it
    """

    case: str
    usable: bool
    problems: tuple[Issue, ...]
    warnings: tuple[Issue, ...]
    facts: dict[str, Any]

    def reasons(self) -> list[str]:
        """Return the problems in words (see `describe_issue`)."""
        return [describe_issue(issue, self.case) for issue in self.problems]


def describe_issue(issue: Issue, case: str) -> str:
    """Return an issue as `file: message`, with the path within the case folder; the message alone if it has no file."""
    if issue.file == case:
        return issue.message
    return f"{issue.file.removeprefix(f'{case}/')}: {issue.message}"


def write_validation_results(path: Path, results: Sequence[ValidationResult]) -> None:
    """Write the validation results of a shard as JSON."""
    write_json(path, {"format": FORMAT_VERSION, "cases": [asdict(result) for result in results]})


def read_validation_results(path: Path) -> list[ValidationResult]:
    """Read the validation results that `write_validation_results` wrote."""
    return [_result_from_json(content) for content in read_json(path)["cases"]]


def _result_from_json(content: dict[str, Any]) -> ValidationResult:
    issues = {key: tuple(Issue(**issue) for issue in content[key]) for key in ("problems", "warnings")}
    return ValidationResult(**{**content, **issues})


PROBLEM_CODES: Final[dict[str, str]] = {
    "missing_modality": "One of the images that the task asks for is not in the folder.",
    "missing_mask": "The reference mask is not in the folder.",
    "empty_file": "A file has no content.",
    "truncated": "A file stops before its end.",
    "crc_mismatch": "The content of a compressed file is corrupted: its checksum or its structure is wrong.",
    "not_nifti": "A file is not a NIfTI volume.",
    "not_downloaded": "A file is a pointer to content that was not downloaded (git-annex, Git LFS, DVC).",
    "too_large": "A volume has more voxels than cohort.max_voxels allows.",
    "bad_header": "The header of a file contradicts itself or its content.",
    "wrong_data_type": "The voxels of a volume are colours or complex numbers, not one intensity each.",
    "wrong_shape": "A volume is not 3D, or does not have the shape set in the configuration.",
    "shape_mismatch": "The modalities have different numbers of voxels.",
    "affine_mismatch": "The modalities have different positions or orientations in space.",
    "not_finite": "Some voxels are infinite, or are not a number and lie within the brain.",
    "constant_image": "All voxels of an image have the same value.",
    "duplicate_modality": "Two files are candidates for one modality or mask, or two modalities have identical voxels.",
    "bad_label": "The mask has labels that its convention does not define.",
    "other_task": "The name, grid, labels or images indicate another task than the configured one.",
    "mask_mismatch": "The mask does not fit the images: another grid, outside the brain, or empty although empty masks "
    "are not kept.",
    "duplicate_case": "Another case has identical images.",
    "awkward_name": "The folder's name has braces, control characters or bytes that are not UTF-8.",
    "folder_of_cases": "The folder holds case folders and is not a case itself.",
    "unreadable": "A file or folder cannot be read.",
    "excluded": "The list in cohort.exclude names the case.",
    "untrained_channels": "A new patient has an image that no training case had.",
}
"""Description of each problem code; a problem drops its case."""
WARNING_CODES: Final[dict[str, str]] = {
    "optional_channel_missing": "An optional image is missing; the network gets zeros instead.",
    "no_enhancing_tumour": "The mask shows no enhancing tumour, which may be correct.",
    "labels_exchanged": "The oedema of a mask lies inside the tumour core; the two labels may be exchanged.",
    "rounded_labels": "Values of the mask that are almost whole, such as 1.0039, were rounded to labels.",
    "mask_reoriented": "The axes of the mask have another order or direction than the images'; it was reoriented.",
    "mask_extent": "The mask covers a smaller or larger box of the images' voxel grid; it was put back in its place.",
    "empty_mask": "The mask marks no tumour, and the configuration keeps empty masks.",
    "tumour_outside_brain": "Part of the tumour lies where all images show background.",
    "saturated_intensities": "Some voxels have the largest value that the file can hold; they may be clipped.",
    "negative_intensities": "Some voxels are negative; the image may have been normalised before.",
    "non_unit_spacing": "Voxels are not cubes of 1 mm.",
    "background_not_zero": "The background of an image is not 0; it was found at the border and is treated like 0.",
    "no_background": "The border of an image shows no background; every non-zero voxel counts as brain.",
    "not_skull_stripped": "An image seems to show the whole head: skull and scalp, or the noise of air.",
    "nearly_equal_modalities": "Two modalities look alike; one may be a copy of the other.",
    "duplicate_file": "A file exists twice with equal voxels; one of them is used.",
    "trailing_bytes": "A file has extra bytes after its compressed content, which itself is valid.",
    "orientations_disagree": "The two orientations in a file's header, qform and sform, place it differently.",
    "orientation_unknown": "A file's header gives no orientation, so the left side is a guess.",
    "dated_in_future": "A file is dated in the future.",
    "fewer_channels": "A new patient lacks images that the model was trained to do without.",
    "demonstration_model": "The model was trained on the demo cohort and is of no use on patients.",
    "starter_model": "The starter model was trained on synthetic tumours only.",
    "spacing_unlike_training": "Voxels are smaller, larger or longer than those that the model was trained on.",
    "brain_size_unlike_training": "The brain has far more or fewer voxels than those that the model was trained on.",
    "intensities_unlike_training": "The intensity distribution of the brain differs from the training cases'.",
    "tilted_planes": "Diameters of tumours are measured in planes that are far from axial.",
    "coarse_planes": "Voxels are so long in the axial plane that diameters of tumours are uncertain.",
}
"""Description of each warning code; a warning does not drop its case."""
