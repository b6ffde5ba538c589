"""The verdict on one case: every file of it read once, all that is wrong with it, and the facts about it."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorseg.cohort import images, mask
from tumorseg.cohort.damage import Damage
from tumorseg.cohort.discover import CaseFiles
from tumorseg.cohort.naming import ROLES, SUFFIXES, patient_of
from tumorseg.cohort.verdict import Finding, Verdict
from tumorseg.cohort.volume import Volume, read_volume
from tumorseg.labels import MODALITIES, MODALITY_NAMES


def check_case(root: Path, case_files: CaseFiles, *, shape: Sequence[int] | None, labels: str) -> Verdict:
    """Read every file of a case and judge it. Whatever is wrong with a file is a finding: nothing is raised.

    root: the folder that the paths of `case_files` are relative to. shape: the only grid allowed, None for any.
    labels: `auto`, `mixed`, `brats2021` or `brats2023`, as `cohort.labels` says.
    """
    check = _Check(root, case_files)
    check.read()
    check.shapes(shape)
    check.images()
    check.mask(labels)
    return Verdict(
        case=case_files.case,
        patient=patient_of(case_files.case),
        usable=not check.problems,
        problems=tuple(check.problems),
        warnings=tuple(check.warnings),
        facts=check.facts,
    )


class _Check:
    """The stages of a check: each works on what the stages before it left sound, and adds to the findings."""

    def __init__(self, root: Path, case_files: CaseFiles) -> None:
        self.problems: list[Finding] = []
        self.warnings: list[Finding] = []
        self.facts: dict[str, Any] = {"files": {}}
        self._root = root
        self._case_files = case_files
        self._volumes: dict[str, Volume] = {}
        self._brain: NDArray[np.bool_] | None = None

    def read(self) -> None:
        """Every file, to its last byte."""
        try:
            with os.scandir(self._root / self._case_files.case):
                pass
        except OSError as error:
            message = f"the folder cannot be listed ({error.strerror}); check its permissions and the disk"
            self.problems.append(Finding("unreadable", self._case_files.case, message))
            return
        for role in ROLES:
            paths = self._case_files.files.get(role, ())
            if not paths:
                self.problems.append(_missing(self._case_files.case, role))
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
        sound = {}
        for role, volume in modalities.items():
            problems, warnings = images.value_findings(volume.array, role, files[role])
            self.problems.extend(problems)
            self.warnings.extend(warnings)
            if not problems and volume.array.shape == grid.array.shape:
                sound[role] = volume
        if sound:
            self._brain = images.brain_of(sound)
            self.facts["brain_voxels"] = int(np.count_nonzero(self._brain))
            self.warnings.extend(images.likeness_warnings(sound, self._brain, files))

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
        mismatch = mask.grid_problem(volume, self.facts["shape"], np.array(self.facts["affine"]), file)
        if mismatch:
            self.problems.append(mismatch)
        elif self._brain is not None:
            problems, warnings = mask.place_findings(where, self._brain, file)
            self.problems.extend(problems)
            self.warnings.extend(warnings)

    def _path(self, role: str) -> str:
        path: str = self.facts["files"][role]["path"]
        return path


def _missing(case: str, role: str) -> Finding:
    new, old = SUFFIXES[role][0], SUFFIXES[role][-1]
    names = f"no file named {case}-{new}.nii.gz or {case}_{old}.nii.gz is in its folder; add it"
    if role == "seg":
        return Finding("missing_mask", case, f"the mask is missing: {names}")
    return Finding("missing_modality", case, f"{MODALITY_NAMES[role]} is missing: {names}")
