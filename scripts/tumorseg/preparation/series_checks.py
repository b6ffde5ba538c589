"""Find what is wrong with the DICOM series of a patient as a whole, and with the chosen ones."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from tumorseg.cohort.validation_result import Issue
from tumorseg.formatting import format_count, format_list
from tumorseg.preparation.dicom_series import DicomSeries

_HEAD: Final = re.compile(r"HEAD|BRAIN|SKULL|NEURO|CRAN|KOPF|SCH(AE|Ä)DEL|HIRN|CEREB|^(UNKNOWN)?$")
"""Values of BodyPartExamined of images that may show the head."""
_LOCALIZER: Final = re.compile(r"localizer|slices? only")
"""Part of the reasons for which the images of a localizer are left."""
_MIN_COVERAGE: Final = 0.7
"""A short series that covers less than this fraction of another one in its plane is taken for incomplete."""
MIN_EXTENT_MM: Final = 100.0
"""Images that are shorter than this in a direction do not cover the brain."""


def is_head(body_part: str) -> bool:
    """Return whether an image with this BodyPartExamined, in capitals, may show the head; an empty one may."""
    return _HEAD.search(body_part) is not None


def several_patients(series: Sequence[DicomSeries], case: str) -> list[Issue]:
    """Return the problem of series of several patients, by PatientID and its issuer."""
    count = len({one.header.patient for one in series} - {""})
    if count < 2:
        return []
    message = f"the images belong to {count} patients (by PatientID); put each patient into a folder of its own"
    return [Issue("several_patients", case, message)]


def several_studies(series: Sequence[DicomSeries], case: str) -> list[Issue]:
    """Return the warning about chosen series of several studies."""
    count = len({one.header.study for one in series} - {""})
    if count < 2:
        return []
    message = f"the images come from {count} studies; look whether they show the same examination"
    return [Issue("several_studies", case, message)]


def several_dates(series: Sequence[DicomSeries], case: str) -> list[Issue]:
    """Return the problem of usable series of several dates (StudyDate)."""
    count = len({one.header.study_date for one in series} - {""})
    if count < 2:
        return []
    message = (
        f"the images are from {count} dates, which must not be mixed; put each examination into a folder of its own, "
        "or list the images in a sample sheet (segment.samples or cohort.samples)"
    )
    return [Issue("several_dates", case, message)]


def invalid_dates(series: Sequence[DicomSeries], case: str) -> list[Issue]:
    """Return the warning about chosen series whose StudyDate is no date."""
    invalid = [one.label for one in series if one.header.is_date_invalid]
    if not invalid:
        return []
    message = (
        f"{format_list(invalid)}: the date in the header (StudyDate) is no date and counts as unknown; if the patient "
        "has several time points, give the dates in a sample sheet (segment.samples)"
    )
    return [Issue("invalid_date", case, message)]


def incomplete_series(series: DicomSeries, channel: str, case: str) -> list[Issue]:
    """Return the problem of a chosen series whose slices are not all there."""
    remedy = f"export it again completely, or leave {channel} out in a sample sheet (segment.samples or cohort.samples)"
    if series.truncated_slices:
        what = f"{format_count(series.truncated_slices, 'file')} of {len(series.files)} end before their last pixel"
        return [Issue("corrupted_dicom", case, f"{series.label}: {what}; {remedy}")]
    extent_mm = series.slices * (series.spacing_mm or 0.0)
    if series.missing_instances and not series.missing_slices and extent_mm < MIN_EXTENT_MM:
        count = format_count(series.missing_instances, "numbered image")
        what = f"{count} of it are not there, and the others cover {extent_mm:.0f} mm only"
        return [Issue("missing_slices", case, f"{series.label}: {what}; {remedy}")]
    if series.missing_slices:
        what = f"its {series.slices} slices are unevenly spaced, as if {series.missing_slices} were missing"
        return [Issue("missing_slices", case, f"{series.label}: {what}; {remedy}")]
    return []


def short_series(chosen: Mapping[str, DicomSeries], case: str) -> list[Issue]:
    """Return a problem for each chosen series that covers far less of the head than another one in its plane."""
    extents_mm = {channel: one.slices * (one.spacing_mm or 0.0) for channel, one in chosen.items()}
    found = []
    for channel, series in chosen.items():
        longest_mm = max(extents_mm[other] for other, one in chosen.items() if one.plane == series.plane)
        if not series.missing_slices and extents_mm[channel] < min(MIN_EXTENT_MM, _MIN_COVERAGE * longest_mm):
            message = (
                f"{series.label}: its {series.slices} slices cover {extents_mm[channel]:.0f} mm, but those of another "
                f"series {longest_mm:.0f} mm, so a part seems to be missing; export it again completely, or name it in "
                "a sample sheet (segment.samples or cohort.samples) to use it as it is"
            )
            found.append(Issue("missing_slices", case, message))
    return found


def missing_instances(series: DicomSeries, channel: str, case: str) -> list[Issue]:
    """Return the warning about a chosen series whose images are not numbered without a gap from 1."""
    if not series.missing_instances or series.missing_slices:
        return []
    message = (
        f"{series.label} ({channel}): {format_count(series.missing_instances, 'number')} of its numbered images are "
        "not there; look whether the series was exported completely"
    )
    return [Issue("missing_instances", case, message)]


def nothing_usable(series: Sequence[DicomSeries], reasons: Sequence[str], case: str) -> Issue:
    """Return the problem of a patient without any usable series, with the most specific reason."""
    parts = sorted({part for part in (one.header.body_part for one in series) if not is_head(part)})
    modalities = sorted({one.header.modality or "unknown" for one in series})
    export = "export the series of the brain MRI (T1, T1 with contrast agent, T2, FLAIR)"
    if "MR" not in modalities:
        message = f"the images are {', '.join(modalities)}, not MR; {export}"
        return Issue("other_modality", case, message)
    if all(_LOCALIZER.search(reason) for reason in reasons):
        return Issue("localizer_only", case, f"there is only a localizer; {export}")
    if all("body part" in reason or "localizer" in reason or "not MR" in reason for reason in reasons):
        what = (
            f"the images show another body part ({', '.join(parts)})"
            if parts
            else "the images show another body part than the head"
        )
        return Issue("other_body_part", case, f"{what}; {export}")
    message = (
        f"none of {len(series)} series was recognised as a channel of the task; series.tsv says why each was left: "
        "name the correct ones in a sample sheet (segment.samples or cohort.samples)"
    )
    return Issue("no_usable_image", case, message)
