"""Decide which cases of a cohort are used as they are and which are prepared first, with their masks."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Final, Literal

from tumorseg.cohort.case_files import CaseFiles
from tumorseg.cohort.file_names import MASK, nifti_stem, roles
from tumorseg.errors import Message, UserError
from tumorseg.preparation.patient_plan import Decide, PatientPlan, plan_patients
from tumorseg.preparation.patient_source import PatientSource
from tumorseg.preparation.prepared_check import PreparedDecision
from tumorseg.task import Task

_ROOT_KEY: Final = "cohort.root"
Prepare = Literal["auto", "full"]


def plan_cohort(
    roots: Sequence[Path], task: Task, prepare: Prepare, decide: Decide, note: Callable[[str], object] = lambda _: None
) -> PatientPlan:
    """Find the cases below the data folders of a cohort, and decide which of them are prepared first.

    Args:
        roots: data folders of the user.
        task: defines the channels.
        prepare: as in the configuration.
        decide: see `Decide`.
        note: called with a sentence about how a folder was understood.

    Returns:
        The plan. Its paths are relative to the working directory, or absolute if those of `roots` are.

    Raises:
        UserError: as `plan_patients`; also if two folders have the same case.
    """
    plans = []
    for root in roots:
        found = plan_patients(root, task, prepare, decide, note, key=_ROOT_KEY, labelled=True)
        plans.append(_from_working_directory(found))
    folders: dict[str, Path] = {}
    for root, plan in zip(roots, plans, strict=True):
        for name in (*(case.case for case in plan.prepared), *(source.case for source in plan.to_prepare)):
            if (other := folders.setdefault(name.casefold(), root)) != root:
                raise UserError(
                    f"{_ROOT_KEY}: the case {name} is in {other} and in {root}; rename or remove one of them, or list "
                    "all cases with unique names in a sample sheet (cohort.samples)"
                )
    return PatientPlan(
        Path(),
        tuple(case for plan in plans for case in plan.prepared),
        Path(),
        tuple(source for plan in plans for source in plan.to_prepare),
        {case: reasons for plan in plans for case, reasons in plan.reasons.items()},
        {case: masks for plan in plans for case, masks in plan.masks.items()},
    )


def plan_listed_cohort(folder: Path, cases: Sequence[CaseFiles], prepare: Prepare, decide: Decide) -> PatientPlan:
    """Decide which cases of a sample sheet are prepared first.

    Args:
        folder: folder of the sheet, which the paths of `cases` are relative to.
        cases: the cases of the sheet.
        prepare: as in the configuration.
        decide: see `Decide`.

    Returns:
        The plan. Its paths are relative to the working directory, or absolute.
    """
    prepared, to_prepare = [], []
    reasons: dict[str, tuple[Message, ...]] = {}
    masks: dict[str, tuple[str, ...]] = {}
    for case in cases:
        channels = {role: path for role, (path,) in case.files.items() if role != MASK}
        decision = _listed_decision(folder, channels, prepare, decide)
        if decision.prepared:
            prepared.append(case)
            continue
        to_prepare.append(PatientSource(case.case, "sheet", "", channels=channels, patient=case.patient))
        masks[case.case] = case.files.get(MASK, ())
        if decision.reasons:
            reasons[case.case] = decision.reasons
    plan = PatientPlan(folder, tuple(prepared), folder, tuple(to_prepare), reasons, masks)
    return _from_working_directory(plan)


def prepared_case_files(source: PatientSource, folder: str, task: Task) -> CaseFiles:
    """Return the files of a case as the preparation names them, before they exist; some may not be made.

    Args:
        source: the case.
        folder: folder of all prepared cases.
        task: its first ending of each channel names the file, so that `cohort.root` understands the folder.
    """
    endings = {role: ending for ending, role in reversed(task.file_endings)}
    place = f"{folder}/{source.case}"
    files: dict[str, tuple[str, ...]] = {
        role: (f"{place}/{source.case}-{endings[role]}.nii.gz",) for role in sorted(roles(task))
    }
    return CaseFiles(source.case, files, place, source.patient)


def _listed_decision(folder: Path, channels: dict[str, str], prepare: Prepare, decide: Decide) -> PreparedDecision:
    if not channels:  # its validation says which are missing
        return PreparedDecision(prepared=True, reasons=())
    if prepare == "auto" and all(nifti_stem(path) is not None for path in channels.values()):
        return decide({channel: folder / path for channel, path in channels.items()})
    return PreparedDecision(prepared=False, reasons=())


def _from_working_directory(plan: PatientPlan) -> PatientPlan:
    """Return a plan whose paths are relative to the working directory."""

    def moved(root: Path, path: str) -> str:
        return str(PurePosixPath(root) / path)  # an absolute path stays

    prepared = [
        replace(
            case,
            files={role: tuple(moved(plan.folder, path) for path in paths) for role, paths in case.files.items()},
            folder=None if case.folder is None else moved(plan.folder, case.folder),
        )
        for case in plan.prepared
    ]
    to_prepare = [
        replace(
            source,
            folder=moved(plan.root, source.folder),
            channels={channel: moved(plan.root, path) for channel, path in source.channels.items()},
        )
        for source in plan.to_prepare
    ]
    masks = {case: tuple(moved(plan.root, path) for path in paths) for case, paths in plan.masks.items()}
    return PatientPlan(Path(), tuple(prepared), Path(), tuple(to_prepare), plan.reasons, masks)
