"""What can be wrong with a case, by code, and the exception of a file that cannot be read."""

from typing import Literal

from tumorseg.errors import Message

ProblemCode = Literal[
    "missing_modality",
    "missing_mask",
    "empty_file",
    "truncated",
    "crc_mismatch",
    "not_nifti",
    "not_downloaded",
    "too_large",
    "bad_header",
    "wrong_data_type",
    "wrong_shape",
    "shape_mismatch",
    "affine_mismatch",
    "not_finite",
    "constant_image",
    "duplicate_modality",
    "bad_label",
    "other_task",
    "mask_mismatch",
    "duplicate_case",
    "awkward_name",
    "folder_of_cases",
    "unreadable",
]
"""A problem drops its case."""

WarningCode = Literal[
    "optional_channel_missing",
    "no_enhancing_tumour",
    "labels_exchanged",
    "rounded_labels",
    "mask_reoriented",
    "mask_extent",
    "empty_mask",
    "tumour_outside_brain",
    "saturated_intensities",
    "negative_intensities",
    "non_unit_spacing",
    "background_not_zero",
    "no_background",
    "not_skull_stripped",
    "nearly_equal_modalities",
    "duplicate_file",
    "trailing_bytes",
    "orientations_disagree",
    "orientation_unknown",
    "dated_in_future",
    "demonstration_model",
    "spacing_unlike_training",
    "brain_size_unlike_training",
    "intensities_unlike_training",
]
"""A warning is worth knowing, and its case stays."""


class Damage(Exception):  # noqa: N818 - it is a finding about a file, not an error of the program
    """A file cannot be read as a volume: a code, and one or two sentences on what is wrong and what the user can do.

    size: bytes of the file on disk, where it has any. digest: XXH3-128 of them, where they could be read; files that
    are too large are not.
    """

    def __init__(self, code: ProblemCode, message: Message, size: int | None = None) -> None:
        super().__init__(message)
        self.code: ProblemCode = code
        self.message = message
        self.size = size
        self.digest: str | None = None
