"""Select the image of each channel of a patient, from a folder or as a sample sheet says."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from tumorseg.cohort.file_names import archive_content, nifti_stem, printable
from tumorseg.cohort.layouts.listing import abbreviate, join_path
from tumorseg.cohort.validation_result import Issue
from tumorseg.errors import Message
from tumorseg.formatting import format_count
from tumorseg.preparation.dicom_files import is_dicom_file
from tumorseg.preparation.dicom_headers import read_header
from tumorseg.preparation.dicom_series import DicomFolder, DicomSeries, group_series, read_dicom_folder
from tumorseg.preparation.image_choice import choose_images, image_table, read_image_files
from tumorseg.preparation.patient_source import PatientSource
from tumorseg.preparation.series_checks import incomplete_series, invalid_dates, several_patients, several_studies
from tumorseg.preparation.series_choice import choose_series
from tumorseg.preparation.series_table import series_table
from tumorseg.task import Task


@dataclass(frozen=True)
class SelectedImage:
    """The image of a channel: a NIfTI file, or a DICOM series.

    Attributes:
        label: how messages name it.
        folder: folder relative to the data folder, or absolute; "" is the data folder.
        files: paths relative to `folder`; of a series in the order of its slices.
        series: the series; None for a NIfTI file.
    """

    label: str
    folder: str
    files: tuple[str, ...]
    series: DicomSeries | None = None

    def paths(self) -> list[str]:
        """Return the paths of the files, relative to the data folder or absolute."""
        return [join_path(self.folder, file) for file in self.files]


@dataclass(frozen=True, eq=False)
class Selection:
    """The selected images of a patient, and a table of all images with what was decided about each."""

    images: dict[str, SelectedImage]
    table: pd.DataFrame
    problems: tuple[Issue, ...] = ()
    warnings: tuple[Issue, ...] = ()


def select_images(root: Path, source: PatientSource, task: Task) -> Selection:
    """Select one image for each channel of a task.

    Args:
        root: data folder, which the paths of `source` are relative to.
        source: the files of the patient.
        task: defines the channels.

    Returns:
        The selection; with a problem, its images must not be used.
    """
    if source.kind == "dicom":
        return _from_dicom(root, source, task)
    if source.kind == "nifti":
        images = read_image_files(root / source.folder, source.files)
        choice = choose_images(images, task, source.case)
        chosen = {
            channel: SelectedImage(printable(images[place].path), source.folder, (images[place].path,))
            for channel, place in choice.chosen.items()
        }
        return Selection(chosen, image_table(images, choice.decisions), choice.problems, choice.warnings)
    if source.kind == "sheet":
        return _from_sheet(root, source)
    return Selection({}, _file_table(source.files), (_no_images(source),))


def _from_dicom(root: Path, source: PatientSource, task: Task) -> Selection:
    folder = read_dicom_folder(root / source.folder)
    unreadable = _unreadable_files(folder, source.case)
    if not folder.series:
        return Selection({}, _file_table(folder.unreadable), tuple(unreadable) or (_no_images(source),))
    choice = choose_series(folder.series, task, source.case)
    chosen = {
        channel: SelectedImage(one.label, source.folder, one.files, one)
        for channel, place in choice.chosen.items()
        for one in [folder.series[place]]
    }
    warnings = [*choice.warnings, *unreadable]
    if source.other_images:
        message = "NIfTI files lie beside the DICOM files and are not used; remove the DICOM files to use them"
        warnings.append(Issue("nifti_beside_dicom", source.case, message))
    table = pd.concat([series_table(folder.series, choice.decisions), _file_table(folder.unreadable)]).fillna("")
    return Selection(chosen, table, choice.problems, tuple(warnings))


def _unreadable_files(folder: DicomFolder, case: str) -> list[Issue]:
    """Return the issue of DICOM files that cannot be read; their names may be those of people."""
    if not folder.unreadable:
        return []
    message = (
        f"{format_count(len(folder.unreadable), 'DICOM file')} cannot be read; the last rows of series.tsv name them: "
        "copy or export them again"
    )
    return [Issue("corrupted_dicom", case, message)]


def _file_table(files: Sequence[str]) -> pd.DataFrame:
    """Return a table of files that are not read as images."""
    rows = [(printable(file), "left: it cannot be read as an image") for file in files]
    return pd.DataFrame(rows, columns=["file", "decision"], dtype=object)


def _no_images(source: PatientSource) -> Issue:
    archives = [printable(path) for path in source.files if archive_content(path) is not None]
    if archives:
        message = f"there are only archives ({abbreviate(archives, 3)}); extract them into a folder of the patient"
        return Issue("archive", source.case, message)
    others = [printable(path) for path in source.files]
    what = f"there is no image, but {abbreviate(others, 3)}" if others else "the folder is empty"
    return Issue("no_images", source.case, f"{what}; put the DICOM or NIfTI files (.nii, .nii.gz) of the MRI there")


def _from_sheet(root: Path, source: PatientSource) -> Selection:
    """Return the images that a sample sheet names; only what makes them unusable is checked."""
    images: dict[str, SelectedImage] = {}
    problems: list[Issue] = []
    for channel, path in source.channels.items():
        found = _named_image(root, path)
        if isinstance(found, SelectedImage):
            images[channel] = found
            problems += _series_problems(found, channel, source.case)
        else:
            problems.append(Issue("sheet_path", source.case, f"{channel}: {path}: {found}"))
    series = [image.series for image in images.values() if image.series is not None]
    problems += several_patients(series, source.case)
    warnings = several_studies(series, source.case)
    warnings += [] if source.date else invalid_dates(series, source.case)
    rows = [(image.label, f"chosen for {channel}: named in the sample sheet") for channel, image in images.items()]
    table = pd.DataFrame(rows, columns=["file", "decision"], dtype=object)
    return Selection(images, table, tuple(problems), tuple(warnings))


def _series_problems(image: SelectedImage, channel: str, case: str) -> list[Issue]:
    series = image.series
    if series is None:
        return []
    if series.header.modality != "MR":
        message = f"{series.label} ({channel}): its modality is {series.header.modality or 'unknown'}, not MR"
        return [Issue("other_modality", case, f"{message}; name an MR series")]
    if not series.centres_mm or series.mixed_sizes or series.duplicate_positions or series.directions > 1:
        message = f"{series.label} ({channel}): its slices are not one stack at different positions"
        return [Issue("no_usable_image", case, f"{message}; name another series, or convert it by hand")]
    return incomplete_series(series, channel, case)


def _named_image(root: Path, path: str) -> SelectedImage | Message:
    """Return the image that a cell of a sample sheet names, or what is wrong with the cell."""
    full = root / path
    if full.is_dir():
        series = read_dicom_folder(full).series
        if len(series) == 1:
            return SelectedImage(series[0].label, path, series[0].files, series[0])
        what = f"{len(series)} series" if series else "no DICOM series"
        return f"the folder holds {what}; name a file of the series, or a folder that holds nothing else"
    folder, _, name = path.rpartition("/")
    folder = folder or ("/" if path.startswith("/") else "")
    if not full.is_file():
        return "there is no such file or folder; correct the path"
    if nifti_stem(name) is not None:
        return SelectedImage(name, folder, (name,))
    if not is_dicom_file(full):
        return "this is neither a NIfTI file (.nii, .nii.gz) nor a DICOM file; correct the path"
    return _series_of_file(root / folder, folder, name)


def _series_of_file(full: Path, folder: str, name: str) -> SelectedImage | Message:
    """Return the series of a DICOM file, from all files of its folder."""
    header = read_header(full, name)
    if header is None:
        return "this DICOM file cannot be read; name another one of the series"
    files = [path.name for path in sorted(full.iterdir()) if path.is_file() and is_dicom_file(path)]
    others = [found for file in files if file != name and (found := read_header(full, file))]
    # The named file comes first, because only the first one of several copies counts.
    series = next(
        one
        for one in group_series([header, *(other for other in others if other.series == header.series)])
        if name in one.files
    )
    return SelectedImage(series.label, folder, series.files, series)
