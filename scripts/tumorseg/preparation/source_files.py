"""List all files of a patient's source, with digests, to notice when one changes."""

from pathlib import Path
from typing import Any

from tumorseg.cohort.file_names import nifti_stem
from tumorseg.cohort.layouts.listing import join_path
from tumorseg.io.digests import file_digest_or_none
from tumorseg.preparation.dicom_files import files_below
from tumorseg.preparation.patient_source import PatientSource


def source_paths(root: Path, source: PatientSource) -> list[str]:
    """Return the paths of all files that the choice of a patient's images may depend on.

    Args:
        root: data folder, which the paths of `source` are relative to.
        source: the files of the patient.

    Returns:
        Paths relative to `root`, or absolute as in the sample sheet.
    """
    if source.kind == "sheet":
        return [path for place in source.channels.values() for path in _listed_paths(root, place)]
    if source.kind == "dicom":
        return [join_path(source.folder, name) for name in files_below(root / source.folder)]
    return [join_path(source.folder, name) for name in source.files]


def source_records(root: Path, source: PatientSource) -> list[dict[str, Any]]:
    """Return `path`, `bytes` and `digest` of each file of a source, see `io.changed_files.recorded_files`.

    Args:
        root: data folder, which the paths of `source` are relative to.
        source: the files of the patient.
    """
    return [_record(root, path) for path in source_paths(root, source)]


def _record(root: Path, path: str) -> dict[str, Any]:
    digest = file_digest_or_none(root / path)
    return {"path": path, "bytes": None if digest is None else (root / path).stat().st_size, "digest": digest}


def _listed_paths(root: Path, place: str) -> list[str]:
    """Return the files of a cell of the sample sheet; also those beside a DICOM file, which may be of its series."""
    is_folder = (root / place).is_dir()
    if not is_folder and (nifti_stem(place) is not None or not (root / place).is_file()):
        return [place]
    folder = place if is_folder else place.rpartition("/")[0]
    return [join_path(folder, name) for name in files_below(root / folder)]
