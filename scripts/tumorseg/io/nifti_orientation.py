"""Read and set the orientation in a NIfTI header: qform (rotation and scaling) and sform (affine).

References:
    https://nifti.nimh.nih.gov/nifti-1/documentation/nifti1fields/nifti1fields_pages/qsform.html
"""

import itertools
import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from nibabel.spatialimages import HeaderDataError
from numpy.typing import NDArray

from tumorseg.errors import Message

QUATERNION_TOLERANCE: Final = 1e-4
"""Largest excess of b² + c² + d² of a qform over 1 that rounding explains (float32, or text with four decimals)."""
FORM_TOLERANCE: Final = 0.1
"""Qform and sform agree if they place every corner within this fraction of the shortest voxel edge."""
_MAX_FORM_CODE: Final = 5
_FORM_FIELDS: Final = (
    *("qform_code", "quatern_b", "quatern_c", "quatern_d", "qoffset_x", "qoffset_y", "qoffset_z"),
    *("sform_code", "srow_x", "srow_y", "srow_z"),
)


@dataclass(frozen=True)
class OrientationWarning:
    """A warning about the orientation in a header: code (`orientations_disagree`, `orientation_unknown`) and reason."""

    code: str
    message: Message


@dataclass(frozen=True, eq=False)
class HeaderOrientation:
    """The orientation that a header gives its voxels.

    Attributes:
        affine: voxel to millimetres, (4, 4) float64. As in nibabel, it is the sform if given, else the qform, else made
            from the voxel edges.
        warning: None if the forms that are given agree.
        forms: the fields of qform and sform by name, as plain numbers. None if a qform and an sform made from `affine`
            place the volume equally for all programs.
    """

    affine: NDArray[np.float64]
    warning: OrientationWarning | None
    forms: dict[str, Any] | None


def read_orientation(header: Any, shape: Sequence[int]) -> HeaderOrientation:
    """Return the orientation in a nibabel header. Codes that the standard does not define count as 0, as in nibabel.

    Args:
        header: of nibabel; codes and quaternion are repaired in place.
        shape: of the volume; the first three axes count.

    Returns:
        The affine, with a warning if it is unreliable.

    Raises:
        ValueError: there is no usable orientation; the message is the reason.
    """
    _repair_codes(header)
    excess = _normalise_quaternion(header)
    has_qform, has_sform = header["qform_code"] > 0, header["sform_code"] > 0
    if has_qform and not has_sform and excess > QUATERNION_TOLERANCE:
        raise ValueError(f"its quaternion is not a rotation (b² + c² + d² is {1 + excess:.6g}, more than 1)")
    affine = _compute_affine(header.get_best_affine)
    if affine is None:
        raise ValueError("its orientation cannot be computed")
    if not _is_valid_affine(affine):
        raise ValueError("its orientation is not an invertible affine")
    affine.flags.writeable = False
    if not (has_qform or has_sform):
        return HeaderOrientation(affine, _ORIENTATION_UNKNOWN, form_fields(header))
    qform = _compute_affine(header.get_qform) if has_qform else _nearest_qform(header, affine)
    distance_mm = math.inf if qform is None else _max_corner_distance_mm(qform, affine, shape)
    if distance_mm <= FORM_TOLERANCE * np.linalg.norm(affine[:3, :3], axis=0).min():
        return HeaderOrientation(affine, None, None)
    note = _disagreement_warning(distance_mm) if has_qform else None
    return HeaderOrientation(affine, note, form_fields(header) if math.isfinite(distance_mm) else None)


def form_fields(header: Any) -> dict[str, Any] | None:
    """Return the fields of both forms, with the voxel edges that the qform needs; None if one is not finite."""
    values = {name: np.asarray(header[name], float).tolist() for name in _FORM_FIELDS}
    values["pixdim"] = np.asarray(header["pixdim"][:4], float).tolist()
    finite = all(np.isfinite(value).all() for value in values.values())
    return values if finite else None


def set_form_fields(header: Any, forms: dict[str, Any]) -> None:
    """Set both forms of a nibabel header to the values that `form_fields` returned."""
    for name in _FORM_FIELDS:
        header[name] = forms[name]
    header["pixdim"][:4] = forms["pixdim"]


_ORIENTATION_UNKNOWN: Final = OrientationWarning(
    "orientation_unknown",
    "the header gives no orientation (the codes of qform and sform are both 0), so the left side is a guess; "
    "convert the original images again, or set the code of the correct form",
)


def _disagreement_warning(distance_mm: float) -> OrientationWarning:
    far = (
        f"place it up to {distance_mm:.3g} mm apart"
        if math.isfinite(distance_mm)
        else "disagree (the qform cannot be computed)"
    )
    message = (
        f"the two orientations in the header, sform and qform, {far}; the sform is used. Programs that read the qform "
        "show the volume elsewhere: find the correct one and copy it over the other (`fslorient -copysform2qform`)"
    )
    return OrientationWarning("orientations_disagree", message)


def _repair_codes(header: Any) -> None:
    for code in ("qform_code", "sform_code"):
        if not 0 <= int(header[code]) <= _MAX_FORM_CODE:
            header[code] = 0
    if header["pixdim"][0] not in (-1, 1):
        header["pixdim"][0] = 1  # handedness; the standard reads 0 as 1


def _normalise_quaternion(header: Any) -> float:
    """Divide a too long quaternion by its length, as the standard's own library does; return the excess."""
    names = ("quatern_b", "quatern_c", "quatern_d")
    parts = np.array([header[name] for name in names], np.float64)
    with np.errstate(all="ignore"):
        squares = float(parts @ parts)
    if squares - 1 > float(header.quaternion_threshold) and math.isfinite(squares):
        for name, part in zip(names, parts / math.sqrt(squares), strict=True):
            header[name] = part
    return squares - 1


def _compute_affine(compute: Any) -> NDArray[np.float64] | None:
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
            return np.array(compute(), dtype=np.float64)
    except (HeaderDataError, ValueError, np.linalg.LinAlgError):
        return None


def _is_valid_affine(affine: NDArray[np.float64]) -> bool:
    with np.errstate(all="ignore"):
        edges = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
        return bool(np.isfinite(affine).all() and abs(np.linalg.det(edges)) > 1e-3)


def _nearest_qform(header: Any, affine: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Return the qform nearest to an affine."""
    fresh = type(header)()
    fresh.set_qform(affine, code=1)
    return _compute_affine(fresh.get_qform)


def _max_corner_distance_mm(one: NDArray[np.float64], other: NDArray[np.float64], shape: Sequence[int]) -> float:
    """Return the largest distance between a volume's corners under two affines; infinite if it is not finite."""
    sides = (*shape[:3], 1, 1)[:3]
    corners = np.array([[*corner, 1] for corner in itertools.product(*((0, side - 1) for side in sides))])
    with np.errstate(all="ignore"):
        distance_mm = float(np.linalg.norm((one - other)[:3] @ corners.T, axis=0).max())
    return distance_mm if math.isfinite(distance_mm) else math.inf
