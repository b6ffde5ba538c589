"""The patients to prepare: new ones (section `segment`), and the cases of a cohort (`cohort.prepare`)."""

from functools import partial
from typing import NamedTuple

from tumorseg.preparation.patient_source import source_to_json


class SourceFiles(NamedTuple):
    """A patient and the paths of all files of the source."""

    case: str
    files: tuple[str, ...]

    def paths(self):
        return list(self.files)


def remembered_decisions(name):
    """Return the decisions of earlier plannings about who is prepared already, from a file of this name."""
    from tumorseg.preparation.prepared_decisions import RememberedDecisions  # imported here: it needs NumPy

    deciding = CODE_DIGESTS.digest(SCRIPTS / "tumorseg/preparation/prepared_check.py", None)
    return RememberedDecisions(Path(".snakemake", name), TASK, SETTINGS.cohort.max_voxels, deciding)


@cache
def patient_plan():
    """Return the new patients. Print which of them are prepared first, and why."""
    check_targets()
    if SETTINGS.segment.cases is None and SETTINGS.segment.samples is None:
        raise SystemExit("segment.cases: no folder is given; add --config patients=DIR")
    # Imported here: they need NumPy and pydicom, which would slow down planning for other targets.
    from tumorseg.preparation.patient_plan import plan_listed_patients, plan_patients
    from tumorseg.preparation.patient_sheet import read_patient_sheet

    prepare = SETTINGS.segment.prepare
    if TASK.whole_head and prepare == "full":
        raise SystemExit(
            f"segment.prepare: full removes the skull, but the images of the task {TASK.name} show the whole head; set "
            "it to auto or none"
        )
    prepare = "none" if TASK.whole_head else prepare
    decisions = remembered_decisions("prepared.json")
    try:
        if SETTINGS.segment.samples is not None:
            sheet = Path(SETTINGS.segment.samples)
            sources = read_patient_sheet(sheet, TASK, schema_of("patients"))
            plan = plan_listed_patients(sheet.parent, sources, prepare, decisions.decide)
        else:
            folder = Path(SETTINGS.segment.cases)
            plan = plan_patients(folder, TASK, prepare, decisions.decide, print_note)
    except UserError as error:
        raise SystemExit(f"{error}") from None
    if workflow.is_main_process:
        decisions.save()
        for note in plan.notes():
            print_note(f"segment: {note}")
    return plan


NEW_PATIENTS, COHORT_CASES = "prepared", "cohort/prepared"
"""The folders below results with the steps of the preparation; the wildcard {prepared}."""
PREPARED_FOLDERS = (NEW_PATIENTS, COHORT_CASES)


def plan_of(prepared):
    """Return the plan of the patients that are prepared in a folder."""
    return cohort_plan() if prepared == COHORT_CASES else patient_plan()


def of_patient(rule, prepared=NEW_PATIENTS):
    """Return the output of a step of the preparation of a patient; for each channel if it has such outputs."""
    return expand(rule.output, prepared=prepared, channel=TASK.channel_names, allow_missing=True)


def sources_to_prepare(prepared=NEW_PATIENTS):
    """Return the source of each patient who is prepared first."""
    return {source.case: source for source in plan_of(prepared).to_prepare}


@cache
def files_of_sources(prepared):
    """Return the files of each patient who is prepared first, as `changes_note` expects them."""
    from tumorseg.preparation.source_files import source_paths  # imported here for the same reason

    return {
        case: [SourceFiles(case, tuple(source_paths(source_folder(prepared), source)))]
        for case, source in sources_to_prepare(prepared).items()
    }


def source_folder(prepared):
    """Return the folder that the paths of the sources are relative to."""
    return plan_of(prepared).root


def changed_source_files(wildcards):
    """Return the note about files of a patient that have changed since conversion, in a list; empty if none has."""
    prepared = wildcards.prepared
    stage = "preparation" if prepared == NEW_PATIENTS else "cohort-preparation"
    files, recorded = SOURCE_FILES[prepared], RECORDED_SOURCE_FILES[prepared]
    return changes_note(stage, wildcards.patient, source_folder(prepared), files, recorded)


def recorded_sources(prepared, patient, cases):
    """Return what the conversion of a patient has recorded about each file, by path."""
    record = read_json(Path(f"results/{prepared}/{patient}/images/record.json"))
    return recorded_files([path for case in cases for path in case.paths()], record["facts"]["source_files"])


# `changes_note` looks at all patients at its first call with the same functions.
SOURCE_FILES = {prepared: partial(files_of_sources, prepared) for prepared in PREPARED_FOLDERS}
RECORDED_SOURCE_FILES = {prepared: partial(recorded_sources, prepared) for prepared in PREPARED_FOLDERS}


def atlas_digest():
    """Return the digest of the file of the atlas; None for the one that comes with a package."""
    atlas = SETTINGS.segment.atlas
    return None if atlas == "mni152" else file_digest_or_none(Path(atlas))
