"""Decide which new patients are segmented as they are and which are prepared first."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tumorseg.cohort.case_files import CaseFiles
from tumorseg.cohort.discovery import discover_cases, locate_cohort_folder
from tumorseg.cohort.file_names import MASK, nifti_stem, printable
from tumorseg.cohort.layouts.listing import join_path
from tumorseg.errors import Message, UserError
from tumorseg.formatting import format_list
from tumorseg.preparation.patient_source import PatientSource
from tumorseg.preparation.patient_sources import find_patients
from tumorseg.preparation.prepared_check import PreparedDecision
from tumorseg.preparation.sequence_names import is_mask_name
from tumorseg.task import Task

KEY = "segment.cases"
Decide = Callable[[Mapping[str, Path]], PreparedDecision]
"""Whether a patient is prepared already, from the file of each channel."""


@dataclass(frozen=True)
class PatientPlan:
    """The new patients.

    Attributes:
        folder: folder that the paths of `prepared` are relative to.
        prepared: patients that are segmented as they are, without masks.
        root: folder that the paths of `to_prepare` are relative to.
        to_prepare: patients that are prepared first.
        reasons: of these, why the patient is not prepared already; empty for those that had to be prepared anyway.
    """

    folder: Path
    prepared: tuple[CaseFiles, ...]
    root: Path
    to_prepare: tuple[PatientSource, ...]
    reasons: dict[str, tuple[Message, ...]]

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

    Returns:
        The plan.

    Raises:
        UserError: the folder cannot be listed, has no patient, or two patients have the same name.
    """
    if prepare == "full":
        return PatientPlan(root, (), root, tuple(find_patients(root, note=note)), {})
    try:
        folder, cases = _known_cases(root, task, note)
    except UserError:
        if prepare == "none":
            raise
        folder, cases = root, []
    if prepare == "none":
        return PatientPlan(folder, tuple(cases), root, (), {})
    sources = find_patients(root, note=note)
    # Folders without a known name are left to the preparation, which understands more names, or reports the folder.
    cases = [case for case in cases if case.files]
    decisions = {case.case: _decide(folder, case, root, sources, task=task, decide=decide) for case in cases}
    prepared = [case for case in cases if decisions[case.case].prepared]
    covered = set().union(*(_case_places(folder, case) for case in prepared))
    to_prepare = [source for source in sources if not covered & _places(root, source)]
    reasons = {
        source.case: decision.reasons
        for source in to_prepare
        for case in cases
        if (decision := decisions[case.case]).reasons and _places(root, source) & _case_places(folder, case)
    }
    names = {case.case.casefold() for case in prepared}
    if twice := [source.case for source in to_prepare if source.case.casefold() in names]:
        raise UserError(f"{KEY}: two patients have the name {twice[0]}; rename one of the folders")
    return PatientPlan(folder, tuple(prepared), root, tuple(to_prepare), reasons)


def _known_cases(root: Path, task: Task, note: Callable[[str], object]) -> tuple[Path, list[CaseFiles]]:
    """Return the cases in a layout of `cohort.root`, without their masks, and the folder that holds them."""
    folder, sentence = locate_cohort_folder(root, task, KEY)
    only = root.resolve().name if folder in (root.parent, root / "..") else None
    if sentence and only is None:
        note(sentence)
    cases = discover_cases(folder, task, KEY, masks=False, note=note)
    return folder, [_without_mask(case) for case in cases if only is None or only in (case.case, case.folder)]


def _without_mask(case: CaseFiles) -> CaseFiles:
    files = {role: paths for role, paths in case.files.items() if role != MASK}
    return CaseFiles(case.case, files, case.folder, case.patient, case.from_sheet)


def _decide(
    folder: Path, case: CaseFiles, root: Path, sources: Sequence[PatientSource], *, task: Task, decide: Decide
) -> PreparedDecision:
    """Return whether a case is prepared. One that lacks an image, beside others with unknown names, is not."""
    missing = [channel for channel in task.channel_names if channel not in case.files]
    own = _case_places(folder, case)
    for source in sources:
        others = [name for name in source.files if not is_mask_name(name)] if source.kind == "nifti" else []
        unknown = [name for name in others if _resolved(root, join_path(source.folder, name)) not in own]
        if missing and unknown and own & _places(root, source):
            titles = format_list([task.channel_titles[channel] for channel in missing])
            reason = f"no file is named like {titles}, but there are others, such as {printable(unknown[0])}"
            return PreparedDecision(prepared=False, reasons=(reason,))
    return decide({role: folder / paths[0] for role, paths in case.files.items()})


def _case_places(folder: Path, case: CaseFiles) -> set[Path]:
    own = [] if case.folder is None else [case.folder]
    return {_resolved(folder, path) for path in (*own, *case.paths())}


def _places(root: Path, source: PatientSource) -> set[Path]:
    """Return the folder of a source, and its files."""
    paths = [join_path(source.folder, name) for name in source.files]
    return {_resolved(root, path) for path in (source.folder, *paths)}


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
    prepared = [_listed_case(source) for source in sources if decisions[source.case].prepared]
    to_prepare = [source for source in sources if not decisions[source.case].prepared]
    reasons = {source.case: found for source in to_prepare if (found := decisions[source.case].reasons)}
    return PatientPlan(root, tuple(prepared), root, tuple(to_prepare), reasons)


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
