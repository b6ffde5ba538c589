"""Find the patients below a folder: DICOM or NIfTI files in folders of any depth and of any name.

Runs each time Snakemake plans the workflow, so it lists folders and looks at the first bytes of few files.
"""

import hashlib
import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from tumorseg.cohort.file_names import archive_content, is_awkward_name, is_system_file, nifti_stem, printable
from tumorseg.cohort.layouts.case_names import is_visit_name
from tumorseg.cohort.layouts.listing import join_path
from tumorseg.errors import UserError
from tumorseg.preparation.dicom_files import (
    has_dicom_ending,
    is_dicom_file,
    may_be_dicom,
    peek_patient,
    peek_series,
    peek_study,
)
from tumorseg.preparation.patient_source import PatientSource, SourceKind
from tumorseg.preparation.sequence_names import is_mask_name, read_name

_PEEKED_FILES: Final = 3
"""Files of a folder whose first bytes are read to see whether they are DICOM, if no name says so."""
_MAX_NAME_BYTES: Final = 150
_PLANE: Final = re.compile(r"([-_ ](ax|axial|sag|sagittal|cor|coronal|tra|[23]d))+$", re.IGNORECASE)
_UNSAFE: Final = str.maketrans(dict.fromkeys("{}/\\", "_"))


@dataclass(frozen=True)
class _Folder:
    """The files of a folder and all folders below it, relative to the data folder.

    Attributes:
        path: the folder.
        files: all files except those of the operating system.
        nifti: NIfTI files.
        dicom: a DICOM file of each folder that has one.
    """

    path: str
    files: tuple[str, ...]
    nifti: tuple[str, ...]
    dicom: tuple[str, ...]

    @property
    def has_images(self) -> bool:
        return bool(self.nifti or self.dicom)


def find_patients(
    root: Path, key: str = "segment.cases", note: Callable[[str], object] = lambda _: None
) -> list[PatientSource]:
    """Find the patients below a folder.

    Each folder directly below `root` is a patient, or one for each visit if its subfolders are different DICOM studies
    or are named like visits. If each folder holds one series of the same DICOM study, or DICOM files lie directly in
    `root`, this is a patient itself; files such as `P1_t1.nii.gz` and `P2_t1.nii.gz` are two.

    Args:
        root: folder of the user.
        key: configuration key that names `root`, for messages.
        note: called with a sentence about how the folder was understood.

    Returns:
        The patients, sorted by name. Folders and archives without an image are patients of the kind `none`.

    Raises:
        UserError: `root` cannot be listed or has no image.
    """
    try:
        names = sorted(path.name for path in root.iterdir())
    except OSError as error:
        raise UserError(f"{key}: cannot list {root} ({error.strerror}); it should be a folder of patients") from None
    folders = [_read_folder(root, name) for name in names if (root / name).is_dir() and not is_system_file(name)]
    files = [name for name in names if not is_system_file(name) and not (root / name).is_dir()]
    own = _sort_files(root, "", files)
    if not own.has_images and not any(folder.has_images for folder in folders):
        raise UserError(f"{key}: no image (DICOM or NIfTI) was found below {root}{_archive_hint(files, folders)}")
    if own.dicom or _is_one_study(root, folders):
        note(f"{key}: {root} is the folder of one patient")
        return [_source(_merge(own, folders), root.resolve().name)]
    sources = [source for folder in folders for source in _sources_of_folder(root, folder, folder.path)]
    if own.nifti:
        sources += _loose_files(own, root.resolve().name)
    known = {folder.path for folder in folders}
    archives = [name for name in files if (content := archive_content(name)) and content not in known]
    sources += [PatientSource(str(archive_content(name)), "none", "", (name,)) for name in archives]
    return _with_unique_names(sources)


def _read_folder(root: Path, folder: str) -> _Folder:
    """Return the content of a folder below the data folder. Links are followed, each folder once."""
    parts = []
    seen: set[str] = set()
    for current, names, files in os.walk(root / folder, followlinks=True):
        real = os.path.realpath(current)
        if real in seen:
            names.clear()
            continue
        seen.add(real)
        names[:] = sorted(name for name in names if not is_system_file(name))
        path = os.path.relpath(current, root)
        parts.append(_sort_files(root, path, sorted(name for name in files if not is_system_file(name))))
    return _merge(_Folder(folder, (), (), ()), parts)


def _sort_files(root: Path, folder: str, names: Sequence[str]) -> _Folder:
    """Return the images among the files of one folder."""
    candidates = [name for name in names if may_be_dicom(name)]
    named = next((name for name in candidates if has_dicom_ending(name)), None)
    dicom = named or next((name for name in candidates[:_PEEKED_FILES] if is_dicom_file(root / folder / name)), None)
    return _Folder(
        folder,
        tuple(join_path(folder, name) for name in names),
        tuple(join_path(folder, name) for name in names if nifti_stem(name) is not None),
        (join_path(folder, dicom),) if dicom else (),
    )


def _merge(folder: _Folder, others: Sequence[_Folder]) -> _Folder:
    parts = [folder, *others]
    return _Folder(
        folder.path,
        tuple(path for part in parts for path in part.files),
        tuple(path for part in parts for path in part.nifti),
        tuple(path for part in parts for path in part.dicom),
    )


def _is_one_study(root: Path, folders: Sequence[_Folder]) -> bool:
    """Return whether several folders each hold one series of the same DICOM study. Other folders do not count."""
    with_dicom = [folder for folder in folders if folder.dicom]
    if len(with_dicom) < 2 or any(len(folder.dicom) > 1 for folder in with_dicom):
        return False
    studies = {peek_study(root / folder.dicom[0]) for folder in with_dicom}
    return len(studies) == 1 and None not in studies and all(_is_one_series(root, folder) for folder in with_dicom)


def _is_one_series(root: Path, folder: _Folder) -> bool:
    """Return whether the first and the last DICOM file of a folder belong to one series."""
    last = next(path for path in reversed(folder.files) if may_be_dicom(path.rpartition("/")[2]))
    return peek_series(root / folder.dicom[0]) == peek_series(root / last)


def _sources_of_folder(root: Path, folder: _Folder, name: str, patient: str | None = None) -> Iterator[PatientSource]:
    """Yield the patient of a folder, or what each subfolder holds if they are different patients or visits."""
    children = _children(folder)
    if len(children) == 1:
        yield from _sources_of_folder(root, children[0], name, patient)
    elif children and _are_separate(root, children):
        below = _safe_name(name) if _are_visits(root, children) else None
        for child in children:
            yield from _sources_of_folder(root, child, f"{name}_{child.path.rpartition('/')[2]}", patient or below)
    else:
        yield replace(_source(folder, name), patient=patient)


def _children(folder: _Folder) -> list[_Folder]:
    """Return the subfolders with images; none if images lie in the folder itself."""
    parts: dict[str, list[list[str]]] = {}
    for place, paths in enumerate((folder.files, folder.nifti, folder.dicom)):
        for path in paths:
            inner = path[len(folder.path) + 1 :]
            if "/" not in inner:
                if place:
                    return []
                continue
            child = join_path(folder.path, inner.partition("/")[0])
            parts.setdefault(child, [[], [], []])[place].append(path)
    found = [_Folder(child, *map(tuple, paths)) for child, paths in parts.items()]
    return [child for child in found if child.has_images]


def _are_separate(root: Path, folders: Sequence[_Folder]) -> bool:
    """Return whether folders are different examinations: each with other DICOM studies, or with several contrasts."""
    if all(folder.dicom for folder in folders):
        studies = [{peek_study(root / path) for path in folder.dicom} for folder in folders]
        known = not any(None in of_folder for of_folder in studies)
        return known and sum(map(len, studies)) == len(set().union(*studies))
    if any(folder.dicom for folder in folders):
        return False
    return all(is_visit_name(folder.path.rpartition("/")[2]) or _has_contrasts(folder) for folder in folders)


def _are_visits(root: Path, folders: Sequence[_Folder]) -> bool:
    """Return whether separate folders belong to one patient."""
    if all(folder.dicom for folder in folders):
        patients = {peek_patient(root / path) for folder in folders for path in folder.dicom}
        return len(patients) == 1 and None not in patients
    return all(is_visit_name(folder.path.rpartition("/")[2]) for folder in folders)


def _has_contrasts(folder: _Folder) -> bool:
    """Return whether the names of NIfTI files mean at least two different sequences."""
    clues = [read_name(str(nifti_stem(path.rpartition("/")[2]))) for path in folder.nifti]
    return len({(found.contrast, found.agent) for found in clues if found.contrast}) > 1


def _source(folder: _Folder, name: str, files: Sequence[str] = ()) -> PatientSource:
    prefix = f"{folder.path}/" if folder.path else ""
    kind: SourceKind = "dicom" if folder.dicom else "nifti" if folder.nifti else "none"
    used = {"nifti": files or folder.nifti, "none": folder.files, "dicom": ()}[kind]
    return PatientSource(
        _safe_name(name),
        kind,
        folder.path,
        tuple(path.removeprefix(prefix) for path in used),
        other_images=bool(folder.dicom and folder.nifti),
        listing=hashlib.sha256("\0".join(folder.files).encode(errors="surrogateescape")).hexdigest()[:16],
    )


def _loose_files(own: _Folder, name: str) -> list[PatientSource]:
    """Return the patients of NIfTI files that lie directly in the data folder."""
    groups: dict[str, list[str]] = defaultdict(list)
    for path in own.nifti:
        groups[_name_before_contrast(str(nifti_stem(path)))].append(path)
    if len(groups) > 1 and "" not in groups and all(len(paths) > 1 for paths in groups.values()):
        return [_source(own, group, paths) for group, paths in groups.items()]
    return [_source(own, name, own.nifti)]


def _name_before_contrast(stem: str) -> str:
    """Return the part of a file name before the name of the sequence or mask: `P1` of `P1_ax_t1`; empty if unknown."""
    parts = re.split("[-_]", stem)
    for count in range(len(parts) - 1, 0, -1):
        before, rest = " ".join(parts[:count]), " ".join(parts[count:])
        if (read_name(rest).contrast and not read_name(before).contrast) or is_mask_name(rest):
            return _PLANE.sub("", stem[: len(before)])
    return ""


def _archive_hint(files: Sequence[str], folders: Sequence[_Folder]) -> str:
    packed = [
        path for path in (*files, *(path for folder in folders for path in folder.files)) if archive_content(path)
    ]
    return f"; it holds archives ({printable(packed[0])}): extract them" if packed else ""


def _safe_name(name: str) -> str:
    """Return a name that can be used in paths and as a wildcard."""
    text = unicodedata.normalize("NFC", printable(name)) if is_awkward_name(name) else name
    text = text.translate(_UNSAFE).strip().lstrip(".-") or "patient"
    while len(text.encode()) > _MAX_NAME_BYTES:
        text = text[:-1]
    return text


def _with_unique_names(sources: Sequence[PatientSource]) -> list[PatientSource]:
    """Return the sources with unique names in any letter case, sorted by name."""
    used: set[str] = set()
    found = []
    for source in sources:
        name, number = source.case, 2
        while unicodedata.normalize("NFC", name.casefold()) in used:
            name, number = f"{source.case}_{number}", number + 1
        used.add(unicodedata.normalize("NFC", name.casefold()))
        found.append(replace(source, case=name))
    return sorted(found, key=lambda source: source.case)
