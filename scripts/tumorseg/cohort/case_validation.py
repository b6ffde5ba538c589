"""Validate a case: read each of its files once, and collect all issues and facts."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorseg.cohort import image_checks, mask_checks, summaries
from tumorseg.cohort.case_files import CaseFiles
from tumorseg.cohort.case_reader import CaseReader, ReadResult, closed_folder_problem
from tumorseg.cohort.file_names import case_and_role, roles
from tumorseg.cohort.folder_contents import folder_problem, names_in_case_folder, unrecognised_files
from tumorseg.cohort.image_checks import duplicate_modality_problems
from tumorseg.cohort.mask_checks import label_order_warnings
from tumorseg.cohort.mask_grid import OrientedGrid, VoxelGrid
from tumorseg.cohort.other_task import (
    POST_CONTRAST_CHANNEL,
    PostContrastSample,
    find_other_task_signs,
    other_task_problem,
)
from tumorseg.cohort.preview import axial_mask_slice, make_preview
from tumorseg.cohort.validation_result import Issue, ValidationResult
from tumorseg.errors import Message
from tumorseg.geometry import same_grid
from tumorseg.io.files import is_transient
from tumorseg.io.volume import Volume
from tumorseg.io.volume_limits import DEFAULT_MAX_VOXELS
from tumorseg.task import Task


def validate_case(
    root: Path,
    case_files: CaseFiles,
    *,
    task: Task,
    shape: Sequence[int] | None,
    labels: str,
    empty_masks: str = "drop",
    with_mask: bool = True,
    max_voxels: int = DEFAULT_MAX_VOXELS,
) -> tuple[ValidationResult, NDArray[np.uint8] | None]:
    """Read and check every file of a case. Anything wrong with a file becomes an issue in the result.

    Args:
        root: the folder that the paths of `case_files` are relative to.
        case_files: the case.
        task: defines channels and labels.
        shape: `cohort.shape`, the only shape allowed, in voxels; None for any.
        labels: `auto`, `mixed` or a convention of the task (`cohort.labels`).
        empty_masks: `drop` or `keep` (`cohort.empty_masks`).
        with_mask: whether the case needs a mask; if not, an existing mask is ignored.
        max_voxels: larger volumes are a problem (`cohort.max_voxels`).

    Returns:
        The result, and the preview (see `make_preview`), None if no image could be read.

    Raises:
        OSError: reading failed for a transient reason, such as an unreachable disk (see `io.files.is_transient`).
    """
    validation = _CaseValidation(root, case_files, task, labels, with_mask=with_mask, max_voxels=max_voxels)
    validation.read_files()
    validation.check_shapes(shape)
    validation.check_images()
    validation.check_mask(empty_masks)
    validation.check_other_tasks()
    result = ValidationResult(
        case=case_files.case,
        usable=not validation.problems,
        problems=tuple(dict.fromkeys(validation.problems)),  # channels in one file have equal problems
        warnings=tuple(dict.fromkeys(validation.warnings)),
        facts=validation.facts,
    )
    return result, validation.make_preview()


class _CaseValidation:
    """The stages of validating a case. Each uses the files that earlier stages found valid, and adds issues."""

    def __init__(
        self, root: Path, case_files: CaseFiles, task: Task, labels: str, *, with_mask: bool, max_voxels: int
    ) -> None:
        self.problems: list[Issue] = []
        self.warnings: list[Issue] = []
        self.facts: dict[str, Any] = {"files": {}, "other_files": [], "not_understood": []}
        if case_files.patient is not None:
            self.facts["patient"] = case_files.patient
        self._root = root
        self._case_files = case_files
        self._task = task
        self._labels = labels
        self._roles = roles(task) if with_mask else task.channel_names
        self._max_voxels = max_voxels
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._images: dict[str, summaries.ImageSummary] = {}
        self._reference: summaries.ImageSummary | None = None
        self._mask: summaries.MaskSummary | None = None
        self._fitted: summaries.FittedMask | None = None
        self._contrast: PostContrastSample | None = None
        self._mask_in_preview = False

    def read_files(self) -> None:
        """Read every file to its last byte."""
        if problem := folder_problem(self._root, self._case_files, self._task):
            self.problems.append(problem)
            return
        try:
            names = names_in_case_folder(self._root, self._case_files)
        except OSError as error:
            if is_transient(error):
                raise
            self.problems.append(closed_folder_problem(self._root, self._case_files, error))
            return
        self.facts["not_understood"] = [
            name
            for name in unrecognised_files(self._root, self._case_files)
            if not (found := case_and_role(name, self._task)) or found[1] in self._roles
        ]
        # The mask first: it determines the slice of the images for the preview.
        reader = CaseReader(self._root, self._case_files, self._task, names=names, max_voxels=self._max_voxels)
        results = {role: self._read_role(reader, role) for role in sorted(self._roles, key=lambda role: role != "seg")}
        for role in self._roles:
            self.problems.extend(results[role].problems)
            self.warnings.extend(results[role].warnings)
            if results[role].facts:
                self.facts["files"][role] = results[role].facts
            self.facts["other_files"] += [{"role": role, **facts} for facts in results[role].others]

    def _read_role(self, reader: CaseReader, role: str) -> ReadResult:
        result, volume = reader.read(role, self.facts["not_understood"])
        if volume is not None:
            self._summarise(role, result.facts["path"], volume)
        return result

    def _summarise(self, role: str, file: str, volume: Volume) -> None:
        self._shapes[role] = shape = volume.shape
        if len(shape) != 3:
            return
        if role == "seg":
            self._mask = summaries.summarise_mask(volume, file, self._task, self._labels)
            return
        fitted = self._fit_mask(VoxelGrid(shape, volume.affine, volume.oriented))
        fitting = fitted.mask if fitted else None
        self._images[role] = image = summaries.summarise_image(volume, self._task.channel_titles[role], file, fitting)
        if role == POST_CONTRAST_CHANNEL and self._task.label_map is None and not image.problems:
            self._contrast = summaries.sample_post_contrast_in_mask(volume, image, fitting, self._task)

    def _fit_mask(self, images: OrientedGrid) -> summaries.FittedMask | None:
        """Return the mask on this grid; None without a mask. Keeps the last result, since most images share a grid."""
        if self._mask is not None and (self._fitted is None or not same_grid(self._fitted.images, images)):
            self._fitted = summaries.fit_mask(self._mask, images)
        return self._fitted

    def check_shapes(self, expected: Sequence[int] | None) -> None:
        """Check the shapes; volumes that are not 3D have no summary."""
        found = [image_checks.shape_problem(self._shapes[role], self._path(role), expected) for role in self._shapes]
        self.problems.extend(problem for problem in found if problem)

    def check_images(self) -> None:
        """Check grids, values, duplicates and similarity of the images."""
        if not self._images:
            if not self.problems:  # all channels are optional
                text: Message = "all images are missing; add at least one"
                self.problems.append(Issue("missing_modality", self._case_files.case, text))
            return
        files, titles = {role: self._path(role) for role in self._images}, self._task.channel_titles
        reference = image_checks.reference_channel(self._images)
        self._reference = grid = self._images[reference]
        self.problems.extend(image_checks.grid_problems(self._images, files, titles, grid))
        self.facts.update(
            shape=list(grid.shape),
            spacing=[round(edge, 6) for edge in grid.spacing_mm],
            affine=(grid.affine + 0.0).tolist(),  # -0.0 becomes 0.0
            intensities={role: image.intensities for role, image in self._images.items() if not image.problems},
            background={role: image.background.facts() for role, image in self._images.items() if not image.problems},
        )
        if not grid.oriented:
            self.facts["oriented"] = False
        spacing_issue = image_checks.spacing_warning(grid.spacing_mm, files[reference])
        self.warnings.extend([spacing_issue] if spacing_issue else [])
        for role, image in self._images.items():
            self.facts["files"][role]["sample_digest"] = image_checks.sample_digest(image.sample)
            self.problems.extend(image.problems)
            self.warnings.extend(image.warnings)
        if valid_images := self._valid_images():
            samples = {role: image.sample for role, image in valid_images.items()}
            duplicates = duplicate_modality_problems(self._root, self.facts["files"], samples, self._task)
            self.problems.extend(duplicates.values())
            foreground = np.logical_or.reduce([~image.background.mask(image.sample) for image in valid_images.values()])
            others = {role: sample for role, sample in samples.items() if role not in duplicates}
            self.warnings.extend(image_checks.similarity_warnings(others, foreground, files, titles))
            self.facts["brain_voxels"] = round(float(foreground.mean()) * math.prod(grid.shape))

    def check_mask(self, empty_masks: str) -> None:
        """Check the labels, grid and position of the mask."""
        if self._mask is None:
            return
        file = self._path("seg")
        fitted = self._fit_mask(self._reference) if self._reference is not None else None
        found = fitted.mask if fitted else self._mask
        if found.problem:
            self.problems.append(found.problem)
        else:
            self.facts.update(mask_checks.mask_facts(found.labels, found.values, self._task, found.convention))
            self.warnings.extend(mask_checks.label_warnings(found.labels, file, self._task))
            self.warnings.extend(label_order_warnings(found.labels, found.shape, file, self._task))
        if self._reference is None or fitted is None:
            return
        self._mask_in_preview = not found.problem
        self.warnings.extend(Issue(code, file, note) for code, note in fitted.notes.items())
        if fitted.problem:
            self.problems.append(Issue("mask_mismatch", file, fitted.problem))
        elif in_brain := [
            image.tumour_in_brain for image in self._valid_images().values() if same_grid(image, self._reference)
        ]:
            problems, warnings = mask_checks.tumour_position_issues(np.logical_or.reduce(in_brain), file, empty_masks)
            self.problems.extend(problems)
            self.warnings.extend(warnings)

    def check_other_tasks(self) -> None:
        """Look for signs of another task. Not needed with a label map, which defines the meaning of each value."""
        if "seg" not in self._roles or self._task.label_map is not None:
            return
        found = find_other_task_signs(
            self._task,
            names=[self._case_files.case, *(path.rsplit("/", 1)[-1] for path in self._case_files.paths())],
            shape=self.facts.get("shape"),
            values=self._mask.values if self._mask else (),
            contrast=self._contrast,
        )
        if found.tasks:
            self.facts["other_tasks"] = list(found.tasks)
            if not found.only_values:
                self.problems.append(other_task_problem(found, self._task, self._case_files.case))

    def make_preview(self) -> NDArray[np.uint8] | None:
        """Return the preview of the valid images and, if its labels are valid, of the mask."""
        if self._reference is None:
            return None
        slices = {role: image.preview_slice for role, image in self._valid_images().items()}
        shape = self._reference.preview_slice.shape  # other images differ if their axial axis does
        slices = {role: image for role, image in slices.items() if image.shape == shape}
        if not slices:
            return None
        backgrounds = {role: self._images[role].background for role in slices}
        return make_preview(
            slices, backgrounds, self._preview_mask(shape), self._reference.affine, self._task.channel_names
        )

    def _preview_mask(self, shape: tuple[int, ...]) -> NDArray[np.uint8] | None:
        """Return the slice of the mask, if its labels are valid and the slice has this shape."""
        if self._fitted is None or not self._mask_in_preview:
            return None
        fitted = self._fitted.mask
        picture = axial_mask_slice(
            fitted.labels.where, fitted.labels.values, fitted.shape, fitted.affine, fitted.slice_index
        )
        return picture if picture.shape == shape else None

    def _valid_images(self) -> dict[str, summaries.ImageSummary]:
        return {
            role: image
            for role, image in self._images.items()
            if self._reference is not None and image.shape == self._reference.shape and not image.problems
        }

    def _path(self, role: str) -> str:
        path: str = self.facts["files"][role]["path"]
        return path
