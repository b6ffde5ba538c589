"""Is an image prepared as BraTS prepares it: the brain alone, and a background of exactly 0?"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tumorseg.cohort.background import ZERO, Background, beyond_padding, border, find_background
from tumorseg.cohort.skull import looks_like_air, sign_of_head
from tumorseg.cohort.verdict import Finding
from tumorseg.cohort.volume import Volume

_REMEDY: Final = "extract the brain, and set what lies outside it to 0: models know brains without skull"


def background_findings(
    volume: Volume,
    sample: NDArray[Any],
    positions: NDArray[np.intp],
    *,
    low: float,
    nan: bool,
    title: str,
    file: str,
) -> tuple[Background, list[Finding]]:
    """The background of a modality, and the warnings on how the image was prepared.

    sample: voxels of the volume at flat `positions` (Fortran order). low: the lowest value. nan: whether voxels that
    are not a number surround the brain. title: of its channel. Where no background is found, it is taken to be 0.
    """
    faces = border(volume.array)
    found = find_background(faces, sample, low, nan=nan)
    if found is None:
        return ZERO, [_none_found(title, file, air=looks_like_air(faces, sample))]
    found = beyond_padding(volume.array, sample, found)
    findings = []
    if found != ZERO:
        message = f"the background of {title} is {found}, not 0; voxels of that value are treated as background"
        findings.append(Finding("background_not_zero", file, message))
    sign = sign_of_head(volume.array, sample, positions, volume.spacing, found)
    if sign:
        message = f"{title} seems to show a whole head: {sign}; {_REMEDY}"
        findings.append(Finding("not_skull_stripped", file, message))
    return found, findings


def _none_found(title: str, file: str, *, air: bool) -> Finding:
    """The warning where the border of an image has no background. air: whether it is as dark as air."""
    if air:
        message = f"the border of {title} is dark noise, as of air around a head that was not extracted"
        return Finding("not_skull_stripped", file, f"{message}; all voxels but 0 count as brain; {_REMEDY}")
    message = f"the border of {title} shows many values and no background; all voxels but 0 count as brain"
    return Finding("no_background", file, f"{message}; {_REMEDY}")
