"""Convert one DICOM series to NIfTI with dcm2niix, and compare the geometry of the result with the DICOM headers.

References:
    Li X et al. The first step for neuroimaging data analysis: DICOM to NIfTI conversion. J Neurosci Methods 2016.
    https://doi.org/10.1016/j.jneumeth.2016.03.001
"""

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import dcm2niix
import numpy as np
from numpy.typing import NDArray

from tumorseg.errors import Message
from tumorseg.io.volume import Volume
from tumorseg.preparation.dicom_series import DicomSeries
from tumorseg.preparation.scanner_images import read_scanner_image

_BY_HAND: Final[Message] = (
    "convert the series by hand and give the NIfTI file in a sample sheet (segment.samples or cohort.samples)"
)
_TIMEOUT_S: Final = 600
_MAX_OFFSET: Final = 0.1
"""Largest distance between a slice and its place by the DICOM header, as a fraction of the distance of slices."""
_LINK: Final = re.compile(r"\S*?(\d{6})\.dcm")
_OPTIONS: Final = (
    *("-g", "i"),  # ignore the user's file of defaults
    *("-b", "n", "-ba", "y"),  # no text file beside the image, which could hold personal data
    *("-c", ""),  # no comment of the header in the image
    *("-z", "n"),  # compressed later, with bytes that do not depend on the machine
    *("-x", "i"),  # neither crop nor rotate
    *("-f", "image"),
)


class ConversionError(Exception):
    """A series cannot be converted.

    Attributes:
        code: one of `issue_codes.PREPARATION_PROBLEMS`.
        message: what is wrong and what the user can do.
    """

    def __init__(self, code: str, message: Message) -> None:
        super().__init__(message)
        self.code: str = code
        self.message = message


def convert_series(folder: Path, series: DicomSeries, temporary: Path) -> tuple[Path, Volume, bool]:
    """Convert a series to an uncompressed NIfTI file, and check that it has all slices at their places.

    Args:
        folder: folder that the paths of the series are relative to.
        series: a series with positions and without missing slices.
        temporary: an empty folder for links to the files, and for the result.

    Returns:
        The NIfTI file, its volume, and whether the third axis runs against the order of the slices of the series.

    Raises:
        ConversionError: dcm2niix failed or did not make exactly one volume, or this has another geometry.
        VolumeError: the result is not a valid volume.
    """
    inputs, outputs = temporary / "dicom", temporary / "nifti"
    inputs.mkdir(parents=True)
    outputs.mkdir()
    for number, file in enumerate(series.files):
        # Numbers in place of names, which may be those of people.
        (inputs / f"{number:06d}.dcm").symlink_to((folder / file).resolve())
    lines = _run([dcm2niix.bin, *_OPTIONS, "-o", str(outputs), str(inputs)], series)
    made = sorted(outputs.glob("*.nii"))
    if len(made) != 1:
        messages = [line for line in lines if line.lower().startswith(("warning", "error"))]
        reason = f" ({messages[-1]})" if messages else ""
        raise ConversionError(
            "conversion_failed",
            f"{series.label}: dcm2niix made {len(made)} volumes of its {len(series.files)} files instead of one"
            f"{reason}; {_BY_HAND}",
        )
    volume = read_scanner_image(made[0])
    return made[0], volume, _is_reversed(volume, series)


def _run(command: Sequence[str], series: DicomSeries) -> list[str]:
    """Run dcm2niix and return the lines that it printed."""
    try:
        run = subprocess.run(  # noqa: S603 - no shell, and no text of the user
            command, capture_output=True, text=True, errors="replace", timeout=_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ConversionError(
            "conversion_failed", f"{series.label}: dcm2niix did not run ({type(error).__name__}); run again"
        ) from None
    # The names of the links mean nothing to a user.
    lines = [_LINK.sub(lambda found: f"slice {int(found[1]) + 1}", line).strip() for line in run.stdout.splitlines()]
    lines += [line.strip() for line in run.stderr.splitlines()]
    if run.returncode != 0:
        raise ConversionError(
            "conversion_failed",
            f"{series.label}: dcm2niix stopped with exit code {run.returncode} ({lines[-1] if lines else 'no message'})"
            "; export the series again, or leave it out in a sample sheet (segment.samples or cohort.samples)",
        )
    return lines


def _is_reversed(volume: Volume, series: DicomSeries) -> bool:
    """Return whether the first slice of the volume is the last one of the series, after a check of all places."""
    header = series.header
    expected_shape = (header.columns, header.rows, series.slices)
    if volume.shape != expected_shape:
        found, expected = ("x".join(map(str, shape)) for shape in (volume.shape, expected_shape))
        raise ConversionError(
            "conversion_failed",
            f"{series.label}: the converted volume is {found}, but the DICOM files are {expected}; {_BY_HAND}",
        )
    wanted = np.array(series.centres_mm)
    found_mm = _slice_centres_mm(volume)
    offsets_mm = [float(np.linalg.norm(places - wanted, axis=1).max()) for places in (found_mm, found_mm[::-1])]
    if min(offsets_mm) > _MAX_OFFSET * (series.spacing_mm or 1.0):
        raise ConversionError(
            "conversion_failed",
            f"{series.label}: slices of the converted volume are {min(offsets_mm):.3g} mm away from their places in "
            f"the DICOM headers; {_BY_HAND}",
        )
    return offsets_mm[1] < offsets_mm[0]


def _slice_centres_mm(volume: Volume) -> NDArray[np.float64]:
    """Return the centre of each slice along the third axis in mm (right, front, up), (Z, 3)."""
    x, y, z = volume.shape
    middle = np.array([[(x - 1) / 2, (y - 1) / 2, k, 1.0] for k in range(z)])
    places: NDArray[np.float64] = (volume.affine @ middle.T)[:3].T
    return places
