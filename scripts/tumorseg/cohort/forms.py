"""The two forms in which a NIfTI header places its voxels in space: qform (rotation and scaling) and sform (affine).

See https://nifti.nimh.nih.gov/nifti-1/documentation/nifti1fields/nifti1fields_pages/qsform.html.
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

LONGEST_QUATERNION: Final = 1e-4
"""What b² + c² + d² of a qform may exceed 1 by: rounding, be it of float32 or of text with four decimals."""
AGREEMENT: Final = 0.1
"""Share of the shortest voxel edge within which both forms place every corner of a volume that agrees with itself."""
_LAST_CODE: Final = 5
_FIELDS: Final = (
    *("qform_code", "quatern_b", "quatern_c", "quatern_d", "qoffset_x", "qoffset_y", "qoffset_z"),
    *("sform_code", "srow_x", "srow_y", "srow_z"),
)


@dataclass(frozen=True)
class OrientationNote:
    """A warning about the orientation in a header: `orientations_disagree` or `orientation_unknown`, and why."""

    code: str
    message: Message


@dataclass(frozen=True, eq=False)
class Placement:
    """Where a header places its voxels.

    affine: voxel to millimetres, 4x4: the sform where it is given, else the qform, else what the voxel edges alone
    say, as nibabel chooses. note: None where the forms that are given agree. forms: the fields of both forms by their
    name in the header, in plain numbers, where a file with both forms made from `affine` would lie elsewhere than this
    one for a program that reads the other form; else None.
    """

    affine: NDArray[np.float64]
    note: OrientationNote | None
    forms: dict[str, Any] | None


def placement(header: Any, shape: Sequence[int]) -> Placement:
    """Return where a header of nibabel's places voxels of this shape, whose first three axes count.

    Codes that the standard does not know count as 0, as for nibabel. Raises ValueError, whose text says what is wrong,
    where there is no usable orientation.
    """
    _mend(header)
    excess = _shorten_quaternion(header)
    has_qform, has_sform = header["qform_code"] > 0, header["sform_code"] > 0
    if has_qform and not has_sform and excess > LONGEST_QUATERNION:
        raise ValueError(f"its quaternion is no rotation (b² + c² + d² is {1 + excess:.6g}, more than 1)")
    affine = _computed(header.get_best_affine)
    if affine is None:
        raise ValueError("its orientation cannot be computed")
    if not _is_usable(affine):
        raise ValueError("its orientation is not one of a volume in space")
    affine.flags.writeable = False
    if not (has_qform or has_sform):
        return Placement(affine, _UNKNOWN, fields(header))
    qform = _computed(header.get_qform) if has_qform else _without_shears(header, affine)
    apart = math.inf if qform is None else _farthest(qform, affine, shape)
    if apart <= AGREEMENT * np.linalg.norm(affine[:3, :3], axis=0).min():
        return Placement(affine, None, None)
    note = _disagreement(apart) if has_qform else None
    return Placement(affine, note, fields(header) if math.isfinite(apart) else None)


def fields(header: Any) -> dict[str, Any] | None:
    """Return the fields of both forms, with the voxel edges that the qform needs; None where one is not finite."""
    values = {name: np.asarray(header[name], float).tolist() for name in _FIELDS}
    values["pixdim"] = np.asarray(header["pixdim"][:4], float).tolist()
    finite = all(np.isfinite(value).all() for value in values.values())
    return values if finite else None


def put_fields(header: Any, forms: dict[str, Any]) -> None:
    """Set both forms of a header of nibabel's to those that `fields` returned."""
    for name in _FIELDS:
        header[name] = forms[name]
    header["pixdim"][:4] = forms["pixdim"]


_UNKNOWN: Final = OrientationNote(
    "orientation_unknown",
    "the header gives no orientation (the codes of qform and sform are both 0), so which side is left is a guess; "
    "convert the volume anew from the original images, or set the code of the form that is right",
)


def _disagreement(apart: float) -> OrientationNote:
    far = f"place it up to {apart:.3g} mm apart" if math.isfinite(apart) else "disagree (the qform cannot be computed)"
    message = (
        f"the two orientations in the header, sform and qform, {far}; the sform is used. Programs that read the qform "
        "show the volume elsewhere: find out which is right and copy it over the other (`fslorient -copysform2qform`)"
    )
    return OrientationNote("orientations_disagree", message)


def _mend(header: Any) -> None:
    for code in ("qform_code", "sform_code"):
        if not 0 <= int(header[code]) <= _LAST_CODE:
            header[code] = 0
    if header["pixdim"][0] not in (-1, 1):
        header["pixdim"][0] = 1  # the handedness; the standard reads 0 so


def _shorten_quaternion(header: Any) -> float:
    """Divide a quaternion that is too long by its length, as the standard's own library does. Returns the excess."""
    names = ("quatern_b", "quatern_c", "quatern_d")
    parts = np.array([header[name] for name in names], np.float64)
    with np.errstate(all="ignore"):
        squares = float(parts @ parts)
    if squares - 1 > float(header.quaternion_threshold) and math.isfinite(squares):
        for name, part in zip(names, parts / math.sqrt(squares), strict=True):
            header[name] = part
    return squares - 1


def _computed(compute: Any) -> NDArray[np.float64] | None:
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
            return np.array(compute(), dtype=np.float64)
    except (HeaderDataError, ValueError, np.linalg.LinAlgError):
        return None


def _is_usable(affine: NDArray[np.float64]) -> bool:
    with np.errstate(all="ignore"):
        edges = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
        return bool(np.isfinite(affine).all() and abs(np.linalg.det(edges)) > 1e-3)


def _without_shears(header: Any, affine: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """The qform that is nearest to an affine."""
    fresh = type(header)()
    fresh.set_qform(affine, code=1)
    return _computed(fresh.get_qform)


def _farthest(one: NDArray[np.float64], other: NDArray[np.float64], shape: Sequence[int]) -> float:
    """Millimetres between the two places of that corner of a volume where they differ most; infinite if not finite."""
    sides = (*shape[:3], 1, 1)[:3]
    corners = np.array([[*corner, 1] for corner in itertools.product(*((0, side - 1) for side in sides))])
    with np.errstate(all="ignore"):
        far = float(np.linalg.norm((one - other)[:3] @ corners.T, axis=0).max())
    return far if math.isfinite(far) else math.inf
