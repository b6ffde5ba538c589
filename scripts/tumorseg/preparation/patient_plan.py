"""Decide which patients are used as they are and which are prepared first."""

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

from tumorseg.cohort.case_files import CaseFiles
from tumorseg.cohort.discovery import NoImagesError, discover_cases, locate_cohort_folder
from tumorseg.cohort.file_names import MASK, nifti_stem, printable
from tumorseg.cohort.layouts.listing import join_path
from tumorseg.errors import Message, UserError
from tumorseg.formatting import format_list
from tumorseg.preparation.mask_files import mask_files, without_masks
from tumorseg.preparation.patient_source import PatientSource
from tumorseg.preparation.patient_sources import find_patients
from tumorseg.preparation.prepared_check import PreparedDecision
from tumorseg.preparation.shared_words import split_names
from tumorseg.task import Task

KEY = "segment.cases"
Decide = Callable[[Mapping[str, Path]], PreparedDecision]
"""Whether a patient is prepared already, from the file of each channel."""


@dataclass(frozen=True)
class PatientPlan:
    """The new patients, or the cases of a cohort.

    Attributes:
        folder: folder that the paths of `prepared` are relative to.
        prepared: patients that are used as they are; new patients without masks.
        root: folder that the paths of `to_prepare` and `masks` are relative to.
        to_prepare: patients that are prepared first.
        reasons: of these, why the patient is not prepared already; empty for those that had to be prepared anyway.
        masks: of the patients of a cohort that are prepared first, the files that may be the mask.
        dates: dates of the images of `prepared` as YYYY-MM-DD, where a sample sheet gives them.
    """

    folder: Path
    prepared: tuple[CaseFiles, ...]
    root: Path
    to_prepare: tuple[PatientSource, ...]
    reasons: dict[str, tuple[Message, ...]]
    masks: dict[str, tuple[str, ...]] = field(default_factory=dict)
    dates: dict[str, str] = field(default_factory=dict)

    def visits(self) -> dict[str, dict[str, str]]:
        """Return `patient` and `date` of each case, as folders or a sample sheet give them; only what they give."""
        patients = {case.case: case.patient for case in self.prepared}
        patients |= {source.case: source.patient for source in self.to_prepare}
        dates = self.dates | {source.case: source.date for source in self.to_prepare if source.date}
        known = {case: {"patient": patient, "date": dates.get(case)} for case, patient in patients.items()}
        visits = {case: {key: text for key, text in found.items() if text} for case, found in known.items()}
        return {case: found for case, found in visits.items() if found}

    def notes(self) -> list[Message]:
        """Return a line for each reason, with the patients that it concerns."""
        patients: dict[Message, list[str]] = {}
        for case, reasons in self.reasons.items():
            patients.setdefault("; ".join(reasons), []).append(case)
        return [f"prepared first: {', '.join(cases)}: {reason}" for reason, cases in patients.items()]


def plan_patients(
    root: Path,
    task: Task,
    prepare: Literal["auto", "none", "full"],
    decide: Decide,
    note: Callable[[str], object] = lambda _: None,
    *,
    key: str = KEY,
    labelled: bool = False,
) -> PatientPlan:
    """Find the patients below a folder, and decide which of them are prepared first.

    With `auto`, a patient is segmented as it is if its folder is a case in a layout of `cohort.root` and `decide` finds
    its images prepared. All others are prepared: also those whose files have unknown names, and DICOM.

    Args:
        root: folder of the user.
        task: defines the channels.
        prepare: as in the configuration.
        decide: see `Decide`.
        note: called with a sentence about how the folder was understood.
        key: configuration key that names `root`, for messages.
        labelled: whether the patients have masks. Then a case keeps its name and its files in the layout, and folders
            beside the cases of a layout, such as `imagesTs`, are no patients.

    Returns:
        The plan.

    Raises:
        NoImagesError: the folder has no case in a known layout, and `prepare` is `none`.
        UserError: the folder cannot be listed, has no patient or mixes layouts; two patients have the same name; or
            `dataset.json` contradicts the task.
    """
    try:
        folder, cases = _known_cases(root, task, note, key, labelled=labelled)
    except NoImagesError:
        if prepare == "none":
            raise
        folder, cases = root, []
    if prepare == "none":
        return PatientPlan(folder, tuple(cases), root, (), {})
    # Folders without a known name are left to the preparation, which understands more names, or reports the folder.
    known = _KnownCases(
        root, folder, tuple(case for case in cases if case.files), tuple(find_patients(root, key, note=note))
    )
    decisions = {
        case.case: _decide(known, case, task, decide)
        if prepare == "auto"
        else PreparedDecision(prepared=labelled and known.is_unclear(case), reasons=())
        for case in known.cases
    }
    prepared = [case for case in known.cases if decisions[case.case].prepared]
    to_prepare = known.sources_without_case()
    masks: dict[str, tuple[str, ...]] = {}
    if labelled:
        empty = [case for case in cases if not case.files]
        to_prepare = [
            source for source in to_prepare if not cases or any(known.is_within(source, case) for case in empty)
        ]
        # A folder in which the preparation finds nothing at all is left to the validation, which reports it.
        prepared += [case for case in empty if not any(known.is_within(source, case) for source in to_prepare)]
        masks = {source.case: mask_files(root, source, task) for source in to_prepare}
    reasons: dict[str, tuple[Message, ...]] = {}
    for case in known.cases:
        if not decisions[case.case].prepared:
            if labelled:
                found = [_labelled_source(known, case)]
                masks[case.case] = known.masks_of(case, task)
            else:
                found = known.sources_of(case) or [_listed_source(known, case)]
            to_prepare += found
            if decisions[case.case].reasons:
                reasons |= {source.case: decisions[case.case].reasons for source in found}
    all_names = [*(case.case for case in prepared), *(source.case for source in to_prepare)]
    names = Counter(name.casefold() for name in all_names)
    if twice := [name for name, count in names.items() if count > 1]:
        raise UserError(f"{key}: two patients have the name {twice[0]}; rename one of the folders")
    to_prepare.sort(key=lambda source: source.case)
    if labelled:
        to_prepare = [without_masks(root, source, masks[source.case]) for source in to_prepare]
    return PatientPlan(folder, tuple(prepared), root, tuple(to_prepare), reasons, masks)


@dataclass(frozen=True)
class _KnownCases:
    """The cases in a layout of `cohort.root`, and the patients that the preparation would find in the same folder.

    Attributes:
        root: folder of the user, which the paths of `sources` are relative to.
        folder: folder that the paths of `cases` are relative to.
        cases: cases with at least one image.
        sources: patients by their folders, or by the names of loose files.
    """

    root: Path
    folder: Path
    cases: tuple[CaseFiles, ...]
    sources: tuple[PatientSource, ...]

    @cached_property
    def _files(self) -> dict[Path, str]:
        """The case of each file."""
        return {_resolved(self.folder, path): case.case for case in self.cases for path in case.paths()}

    def cases_of(self, source: PatientSource) -> set[str]:
        """Return the cases that have a file of a source, or a file below the folder of one that lists no files."""
        if source.files:
            paths = (_resolved(self.root, join_path(source.folder, name)) for name in source.files)
            return {self._files[path] for path in paths if path in self._files}
        place = _resolved(self.root, source.folder)
        return {case for path, case in self._files.items() if place in path.parents}

    def sources_without_case(self) -> list[PatientSource]:
        """Return the sources that share no file with a case."""
        return [source for source in self.sources if not self.cases_of(source)]

    def sources_of(self, case: CaseFiles) -> list[PatientSource]:
        """Return the sources that share files with this case and with no other."""
        return [source for source in self.sources if self.cases_of(source) == {case.case}]

    def is_unclear(self, case: CaseFiles) -> bool:
        """Return whether a case has several files for an image, among files of other cases; its validation says so."""
        return not self.sources_of(case) and any(len(paths) > 1 for paths in _without_mask(case).files.values())

    def is_within(self, source: PatientSource, case: CaseFiles) -> bool:
        """Return whether a source lies in the folder of a case."""
        place = _resolved(self.root, source.folder)
        return case.folder is not None and _resolved(self.folder, case.folder) in (place, *place.parents)

    def masks_of(self, case: CaseFiles, task: Task) -> tuple[str, ...]:
        """Return the masks of a case, or the other files of its source that are named like one; relative to `root`."""
        if masks := case.files.get(MASK):
            return tuple(os.path.relpath(self.folder / path, self.root) for path in masks)
        return tuple(path for source in self.sources_of(case) for path in mask_files(self.root, source, task))

    def unknown_images(self, case: CaseFiles) -> list[str]:
        """Return the NIfTI files of the same source that are neither masks nor files of a case."""
        return [
            name
            for source in self.sources_of(case)
            if source.kind == "nifti"
            for name, parts in zip(source.files, split_names(source.files, source.case), strict=True)
            if not parts.is_mask and _resolved(self.root, join_path(source.folder, name)) not in self._files
        ]


def _known_cases(
    root: Path, task: Task, note: Callable[[str], object], key: str, *, labelled: bool
) -> tuple[Path, list[CaseFiles]]:
    """Return the cases in a layout of `cohort.root`, and the folder that holds them."""
    folder, sentence = locate_cohort_folder(root, task, key)
    only = root.resolve().name if folder in (root.parent, root / "..") else None
    if sentence and only is None:
        note(sentence)
    cases = [
        case
        for case in discover_cases(folder, task, key, masks=labelled, note=note)
        if only is None or only in (case.case, case.folder)
    ]
    return folder, cases if labelled else [_without_mask(case) for case in cases]


def _without_mask(case: CaseFiles) -> CaseFiles:
    files = {role: paths for role, paths in case.files.items() if role != MASK}
    return CaseFiles(case.case, files, case.folder, case.patient, case.from_sheet)


def _decide(known: _KnownCases, case: CaseFiles, task: Task, decide: Decide) -> PreparedDecision:
    """Return whether a case is used as it is.

    One that lacks an image, beside others with unknown names, is not. Of several files for an image, the first decides:
    the preparation chooses among them, or the validation names them.
    """
    missing = [task.channel_titles[channel] for channel in task.channel_names if channel not in case.files]
    if missing and (unknown := known.unknown_images(case)):
        reason = f"no file is named like {format_list(missing)}, but there are others, such as {printable(unknown[0])}"
        return PreparedDecision(prepared=False, reasons=(reason,))
    images = _without_mask(case).files
    if any(len(paths) > 1 for paths in images.values()) and not known.sources_of(case):
        return PreparedDecision(prepared=True, reasons=())  # files of several cases in one folder: nothing can choose
    return decide({role: known.folder / paths[0] for role, paths in images.items()})


def _listed_source(known: _KnownCases, case: CaseFiles) -> PatientSource:
    """Return a case whose files lie among those of other cases as a source that names its images."""
    if several := next((paths for paths in case.files.values() if len(paths) > 1), None):
        raise UserError(
            f"{KEY}: {case.case} has several files for one image ({' and '.join(map(printable, several))}); keep one"
        )
    # Not Path.relative_to, which cannot go up.
    channels = {role: os.path.relpath(known.folder / path, known.root) for role, (path,) in case.files.items()}
    return PatientSource(case.case, "sheet", "", channels=channels, patient=case.patient)


def _labelled_source(known: _KnownCases, case: CaseFiles) -> PatientSource:
    """Return a case of a cohort as a source under its own name, with the files of its layout if they are clear."""
    images, sources = _without_mask(case), known.sources_of(case)
    is_clear = bool(images.files) and all(len(paths) == 1 for paths in images.files.values())
    if sources and (not is_clear or known.unknown_images(case)):
        return replace(sources[0], case=case.case, patient=case.patient)
    if not images.files:
        return PatientSource(case.case, "none", "", tuple(case.paths()), patient=case.patient)
    return _listed_source(known, images)


def _resolved(folder: Path, path: str) -> Path:
    return (folder / path).resolve()


def plan_listed_patients(
    root: Path, sources: Sequence[PatientSource], prepare: Literal["auto", "none", "full"], decide: Decide
) -> PatientPlan:
    """Decide which patients of a sample sheet are prepared first.

    Args:
        root: folder of the sheet.
        sources: the patients.
        prepare: as in the configuration.
        decide: see `Decide`.

    Returns:
        The plan.
    """
    decisions = {source.case: _listed_decision(root, source, prepare, decide) for source in sources}
    as_they_are = [source for source in sources if decisions[source.case].prepared]
    to_prepare = [source for source in sources if not decisions[source.case].prepared]
    reasons = {source.case: found for source in to_prepare if (found := decisions[source.case].reasons)}
    dates = {source.case: source.date for source in as_they_are if source.date}
    prepared = tuple(_listed_case(source) for source in as_they_are)
    return PatientPlan(root, prepared, root, tuple(to_prepare), reasons, dates=dates)


def _listed_decision(
    root: Path, source: PatientSource, prepare: Literal["auto", "none", "full"], decide: Decide
) -> PreparedDecision:
    if prepare != "auto":
        return PreparedDecision(prepared=prepare == "none", reasons=())
    if all(nifti_stem(path) is not None for path in source.channels.values()):
        return decide({channel: root / path for channel, path in source.channels.items()})
    return PreparedDecision(prepared=False, reasons=())


def _listed_case(source: PatientSource) -> CaseFiles:
    files: dict[str, tuple[str, ...]] = {channel: (path,) for channel, path in sorted(source.channels.items())}
    return CaseFiles(source.case, files, None, source.patient, from_sheet=True)
