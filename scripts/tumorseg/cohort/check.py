"""The verdict on one case: every file of it read once, all that is wrong with it, and the facts about it."""

import os
from collections.abc import Sequence
from glob import escape
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorseg.cohort import images, mask, preview
from tumorseg.cohort.damage import Damage
from tumorseg.cohort.discover import CaseFiles
from tumorseg.cohort.naming import ROLES, SUFFIXES, archive_of, patient_of
from tumorseg.cohort.verdict import Finding, Verdict
from tumorseg.cohort.volume import Volume, read_volume
from tumorseg.labels import MODALITIES, MODALITY_NAMES


def check_case(root: Path, case_files: CaseFiles, *, shape: Sequence[int] | None, labels: str) -> Verdict:
    """The verdict of `examine_case`, without the preview."""
    return examine_case(root, case_files, shape=shape, labels=labels)[0]


def examine_case(
    root: Path, case_files: CaseFiles, *, shape: Sequence[int] | None, labels: str
) -> tuple[Verdict, NDArray[np.uint8] | None]:
    """Read every file of a case and judge it. Whatever is wrong with a file is a finding: nothing is raised.

    root: the folder that the paths of `case_files` are relative to. shape: the only grid allowed, None for any.
    labels: `auto`, `mixed`, `brats2021` or `brats2023`, as `cohort.labels` says. Returned with the verdict: the
    `preview`, None where no image could be read.
    """
    check = _Check(root, case_files)
    check.read()
    check.shapes(shape)
    check.images()
    check.mask(labels)
    verdict = Verdict(
        case=case_files.case,
        patient=patient_of(case_files.case),
        usable=not check.problems,
        problems=tuple(check.problems),
        warnings=tuple(check.warnings),
        facts=check.facts,
    )
    return verdict, check.preview()


class _Check:
    """The stages of a check: each works on what the stages before it left sound, and adds to the findings."""

    def __init__(self, root: Path, case_files: CaseFiles) -> None:
        self.problems: list[Finding] = []
        self.warnings: list[Finding] = []
        self.facts: dict[str, Any] = {"files": {}}
        self._root = root
        self._case_files = case_files
        self._volumes: dict[str, Volume] = {}
        self._sound: dict[str, Volume] = {}
        self._brain: NDArray[np.bool_] | None = None
        self._tumour = np.empty(0, np.intp)
        self._labels: NDArray[Any] | None = None

    def read(self) -> None:
        """Every file, to its last byte."""
        case = self._case_files.case
        try:
            with os.scandir(self._root / case) as entries:
                packed = sorted(entry.name for entry in entries if archive_of(entry.name) is not None)
        except OSError as error:
            names = sorted(path.name for path in self._root.glob(f"{escape(case)}.*"))
            archive = next((name for name in names if archive_of(name) == case), None)
            message = (
                f"the case is still packed in {archive}; extract it there"
                if archive
                else f"the folder cannot be listed ({error.strerror}); check its permissions and the disk"
            )
            self.problems.append(Finding("unreadable", case, message))
            return
        for role in ROLES:
            paths = self._case_files.files.get(role, ())
            if not paths:
                self.problems.append(_missing(case, role, packed))
            for path in paths:
                try:
                    volume = read_volume(self._root / path)
                except Damage as damage:
                    self.problems.append(Finding(damage.code, path, damage.message))
                else:
                    self._take(role, path, volume)

    def _take(self, role: str, path: str, volume: Volume) -> None:
        if role in self._volumes:
            self._compare(path, volume, self._path(role), self._volumes[role])
            return
        self._volumes[role] = volume
        self.facts["files"][role] = {
            "path": path,
            "bytes": volume.size,
            "sha256": volume.sha256,
            "crc32": volume.crc32,
        }
        if volume.trailing:
            message = f"{volume.trailing} bytes follow the end of the compressed content, which is sound; not read"
            self.warnings.append(Finding("trailing_bytes", path, message))

    def _compare(self, path: str, volume: Volume, taken_path: str, taken: Volume) -> None:
        same = images.same_grid(volume, taken) and np.array_equal(volume.array, taken.array, equal_nan=True)
        if same:
            self.warnings.append(Finding("duplicate_file", path, f"has the voxels of {taken_path}, which is used"))
        else:
            message = f"stands beside {taken_path} and has other voxels; remove the one that is wrong"
            self.problems.append(Finding("duplicate_modality", path, message))

    def shapes(self, expected: Sequence[int] | None) -> None:
        """Volumes that are not three-dimensional go no further."""
        for role, volume in list(self._volumes.items()):
            problem = images.shape_problem(volume, self._path(role), expected)
            if problem:
                self.problems.append(problem)
            if volume.array.ndim != 3:
                del self._volumes[role]

    def images(self) -> None:
        """The modalities: one grid, values that make sense, and the brain that they show."""
        modalities: dict[str, Volume] = {role: self._volumes[role] for role in MODALITIES if role in self._volumes}
        if not modalities:
            return
        files = {role: self._path(role) for role in modalities}
        leader = images.reference(modalities)
        grid = modalities[leader]
        self.problems.extend(images.grid_problems(modalities, files, grid))
        self.facts.update(
            shape=list(grid.array.shape),
            spacing=[round(edge, 6) for edge in grid.spacing],
            affine=(grid.affine + 0.0).tolist(),  # -0.0 becomes 0.0
        )
        spacing = images.spacing_warning(grid, files[leader])
        self.warnings.extend([spacing] if spacing else [])
        intensities = {}
        for role, volume in modalities.items():
            problems, warnings = images.value_findings(volume.array, role, files[role])
            self.problems.extend(problems)
            self.warnings.extend(warnings)
            if not problems:
                intensities[role] = images.intensity_facts(volume.array)
            if not problems and volume.array.shape == grid.array.shape:
                self._sound[role] = volume
        self.facts["intensities"] = intensities
        if self._sound:
            self._brain = images.brain_of(self._sound)
            self.facts["brain_voxels"] = int(np.count_nonzero(self._brain))
            self.warnings.extend(images.likeness_warnings(self._sound, self._brain, files))

    def mask(self, labels: str) -> None:
        """The mask: its grid, its labels, its place."""
        volume = self._volumes.get("seg")
        if volume is None:
            return
        file = self._path("seg")
        where, written = mask.tumour_voxels(volume.array)
        problem = mask.label_problem(written, file, labels)
        if problem:
            self.problems.append(problem)
        else:
            self.facts.update(mask.mask_facts(volume.array, where, written))
            if not self.facts["label_4"]:
                message = "the mask shows no enhancing tumour; that may be right"
                self.warnings.append(Finding("no_enhancing_tumour", file, message))
        if "shape" not in self.facts:
            return
        if not problem and list(volume.array.shape) == self.facts["shape"]:
            self._tumour, self._labels = where, volume.array
        mismatch = mask.grid_problem(volume, self.facts["shape"], np.array(self.facts["affine"]), file)
        if mismatch:
            self.problems.append(mismatch)
        elif self._brain is not None:
            problems, warnings = mask.place_findings(where, self._brain, file)
            self.problems.extend(problems)
            self.warnings.extend(warnings)

    def preview(self) -> NDArray[np.uint8] | None:
        """The case in small, of the modalities that are sound and, where its labels are, the mask."""
        if not self._sound:
            return None
        index = preview.fullest_slice(self._tumour, self.facts["shape"], self.facts["affine"])
        arrays = {role: volume.array for role, volume in self._sound.items()}
        return preview.preview(arrays, self._labels, self.facts["affine"], index)

    def _path(self, role: str) -> str:
        path: str = self.facts["files"][role]["path"]
        return path


def _missing(case: str, role: str, packed: Sequence[str]) -> Finding:
    new, old = SUFFIXES[role][0], SUFFIXES[role][-1]
    names = f"no file named {case}-{new}.nii.gz or {case}_{old}.nii.gz is in its folder; add it"
    if packed:
        names += f", perhaps by extracting {packed[0]}, which is still packed"
    if role == "seg":
        return Finding("missing_mask", case, f"the mask is missing: {names}")
    return Finding("missing_modality", case, f"{MODALITY_NAMES[role]} is missing: {names}")
