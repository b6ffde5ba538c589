"""The validation result of a case: its issues, their codes, and the JSON file of a shard's results."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from tumorseg.errors import Message
from tumorseg.io.files import read_json, write_json

FORMAT_VERSION = 1


@dataclass(frozen=True)
class Issue:
    """Something about a file.

    code: one of `codes`. file: its path relative to the root, or the case where it is about no single file.
    """

    code: str
    file: str
    message: Message


@dataclass(frozen=True)
class ValidationResult:
    """What is known of a case after every file of it has been read.

    problems drop the case, warnings do not. facts, as far as they could be found: `shape`, `spacing`, `affine` of its
    images, and `oriented`, false, where their headers give no orientation; `intensities` of each modality, see
    `images.intensity_facts`; `brain_voxels`, their number, estimated from samples; `background` of each modality
    without problems, see `Background`; `labels`, voxels for each value that the mask has on disk; `label_1`, `label_2`,
    `label_4`, voxels by inside label; `convention` of the mask, null where it shows no enhancing tumour;
    `tumour_crc32`, equal for equal masks, however they are written; `files`, for each role `path`, `bytes`, `digest`
    (see `Volume`), `voxels` (their number) and, of an image, `sample_digest`, that of its sampled values, equal for
    equal images, however they are written; `other_files`, of those that are damaged or not taken, `role`, `path`,
    `bytes` and `digest`, null where the file is too large to be read or cannot be; `not_understood`, the
    names of what may be images of the case and has no role; `patient`, where its place says it.
    """

    case: str
    usable: bool
    problems: tuple[Issue, ...]
    warnings: tuple[Issue, ...]
    facts: dict[str, Any]

    def reasons(self) -> list[str]:
        """The problems in words; see `in_words`."""
        return [describe_issue(finding, self.case) for finding in self.problems]


def describe_issue(issue: Issue, case: str) -> str:
    """A finding about a case: the file, by its path within the case folder, where it is about one; the message."""
    if issue.file == case:
        return issue.message
    return f"{issue.file.removeprefix(f'{case}/')}: {issue.message}"


def write_validation_results(path: Path, results: Sequence[ValidationResult]) -> None:
    """Write the verdicts of a batch as JSON."""
    write_json(path, {"format": FORMAT_VERSION, "cases": [asdict(verdict) for verdict in results]})


def read_validation_results(path: Path) -> list[ValidationResult]:
    """The verdicts that `write_verdicts` wrote."""
    return [_result_from_json(content) for content in read_json(path)["cases"]]


def _result_from_json(content: dict[str, Any]) -> ValidationResult:
    findings = {key: tuple(Issue(**finding) for finding in content[key]) for key in ("problems", "warnings")}
    return ValidationResult(**{**content, **findings})


PROBLEM_CODES: Final[dict[str, str]] = {
    "missing_modality": "One of the images that the task asks for is not in the folder.",
    "missing_mask": "The expert's mask is not in the folder.",
    "empty_file": "A file has no content.",
    "truncated": "A file stops before its end.",
    "crc_mismatch": "The content of a compressed file is damaged: its check sum or its structure is wrong.",
    "not_nifti": "A file is something else than a NIfTI volume.",
    "not_downloaded": "A file stands in for content that was not downloaded (git-annex, Git LFS, DVC).",
    "too_large": "A volume has more voxels than cohort.max_voxels allows.",
    "bad_header": "The header of a file contradicts itself or its content.",
    "wrong_data_type": "The voxels of a volume are colours or complex numbers, not one intensity each.",
    "wrong_shape": "A volume is not three-dimensional, or not of the shape that the configuration asks for.",
    "shape_mismatch": "The modalities have different numbers of voxels.",
    "affine_mismatch": "The modalities lie at different places in space.",
    "not_finite": "Some voxels are infinite, or are not a number and lie within the brain.",
    "constant_image": "All voxels of an image have one value.",
    "duplicate_modality": "Two files claim to be one modality or mask, or two modalities have the very same voxels.",
    "bad_label": "The mask has labels that its convention does not know.",
    "other_task": "The name, the grid, the labels or the images are those of another task than the one that is set.",
    "mask_mismatch": "The mask does not fit the images: another grid, outside the brain, or empty although empty masks "
    "are not kept.",
    "duplicate_case": "Another case has the very same images.",
    "awkward_name": "The folder's name has braces, control characters or bytes that are no UTF-8.",
    "folder_of_cases": "The folder holds case folders and is none itself.",
    "unreadable": "A file or folder cannot be read.",
}
"""A problem drops its case."""
WARNING_CODES: Final[dict[str, str]] = {
    "optional_channel_missing": "An image is missing that the task can do without.",
    "no_enhancing_tumour": "The mask shows no enhancing tumour, which may be right.",
    "labels_exchanged": "The oedema of a mask lies inside the tumour's core; the two labels may be exchanged.",
    "rounded_labels": "Values of the mask that are almost whole, such as 1.0039, were rounded to labels.",
    "mask_reoriented": "The axes of the mask run in another order or direction than the images'; it was turned.",
    "mask_extent": "The mask covers a smaller or larger box of the images' voxel grid; it was put back in its place.",
    "empty_mask": "The mask marks no tumour, and the configuration keeps empty masks.",
    "tumour_outside_brain": "Part of the tumour lies where all images show background.",
    "saturated_intensities": "Some voxels have the largest value that the file can hold; they may be clipped.",
    "negative_intensities": "Some voxels are negative; the image may have been normalised before.",
    "non_unit_spacing": "Voxels are not cubes of 1 mm.",
    "background_not_zero": "The background of an image is not 0; it was found at the border and is treated as 0 is.",
    "no_background": "The border of an image shows no background; every voxel but 0 counts as brain.",
    "not_skull_stripped": "An image seems to show the whole head: skull and scalp, or the noise of air.",
    "nearly_equal_modalities": "Two modalities look alike; one may be a copy of the other.",
    "duplicate_file": "A file is there twice, with equal voxels; one of them is used.",
    "trailing_bytes": "Something follows the end of a file's compressed content, which itself is sound.",
    "orientations_disagree": "The two orientations in a file's header, qform and sform, place it differently.",
    "orientation_unknown": "A file's header gives no orientation, so which side is left is a guess.",
    "dated_in_future": "A file is dated in the future.",
    "demonstration_model": "The model was trained on the demo cohort and is of no use on patients.",
    "spacing_unlike_training": "Voxels are smaller, larger or longer than those that the model was trained on.",
    "brain_size_unlike_training": "The brain has far more or fewer voxels than those that the model was trained on.",
    "intensities_unlike_training": "The grey values of the brain are spread otherwise than in the training cases.",
}
"""A warning is worth knowing, and its case stays."""
