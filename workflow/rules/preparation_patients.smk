"""The new patients: which are segmented as they are, and which are prepared first."""

from typing import NamedTuple

from tumorseg.preparation.patient_source import source_to_json


class SourceFiles(NamedTuple):
    """A patient and the paths of all files of the source."""

    case: str
    files: tuple[str, ...]

    def paths(self):
        return list(self.files)


@cache
def patient_plan():
    """Return the new patients. Print which of them are prepared first, and why."""
    check_targets()
    if SETTINGS.segment.cases is None and SETTINGS.segment.samples is None:
        raise SystemExit("segment.cases: no folder is given; add --config patients=DIR")
    # Imported here: they need NumPy and pydicom, which would slow down planning for other targets.
    from tumorseg.preparation.patient_plan import plan_listed_patients, plan_patients
    from tumorseg.preparation.patient_sheet import read_patient_sheet
    from tumorseg.preparation.prepared_decisions import RememberedDecisions

    prepare = SETTINGS.segment.prepare
    if TASK.whole_head and prepare == "full":
        raise SystemExit(
            f"segment.prepare: full removes the skull, but the images of the task {TASK.name} show the whole head; set "
            "it to auto or none"
        )
    prepare = "none" if TASK.whole_head else prepare
    deciding = CODE_DIGESTS.digest(SCRIPTS / "tumorseg/preparation/prepared_check.py", None)
    decisions = RememberedDecisions(Path(".snakemake/prepared.json"), TASK, SETTINGS.cohort.max_voxels, deciding)
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


def sources_to_prepare():
    """Return the source of each patient who is prepared first."""
    return {source.case: source for source in patient_plan().to_prepare}


@cache
def files_of_sources():
    """Return the files of each patient who is prepared first, as `changes_note` expects them."""
    from tumorseg.preparation.source_files import source_paths  # imported here for the same reason

    root = patient_plan().root
    return {
        case: [SourceFiles(case, tuple(source_paths(root, source)))] for case, source in sources_to_prepare().items()
    }


def source_folder():
    """Return the folder that the paths of the sources are relative to."""
    return patient_plan().root


def changed_source_files(wildcards):
    """Return the note about files of a patient that have changed since conversion, in a list; empty if none has."""
    return changes_note("preparation", wildcards.patient, patient_plan().root, files_of_sources, recorded_sources)


def recorded_sources(patient, cases):
    """Return what the conversion of a patient has recorded about each file, by path."""
    record = read_json(Path(f"results/prepared/{patient}/images/record.json"))
    return recorded_files([path for case in cases for path in case.paths()], record["facts"]["source_files"])


def atlas_digest():
    """Return the digest of the file of the atlas; None for the one that comes with a package."""
    atlas = SETTINGS.segment.atlas
    return None if atlas == "mni152" else file_digest_or_none(Path(atlas))
