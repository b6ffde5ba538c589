"""A prepared patient as a case to segment."""

from dataclasses import dataclass
from pathlib import Path

from tumorseg.cohort.case_files import CaseFiles
from tumorseg.cohort.validation_result import Issue
from tumorseg.preparation.patient_records import read_patient_records
from tumorseg.preparation.prepared_files import atlas_path
from tumorseg.preparation.step_record import first_failure
from tumorseg.task import Task

_ATLAS_FOLDER = "atlas"


@dataclass(frozen=True)
class PreparedCase:
    """A prepared patient.

    Attributes:
        files: the images on the grid of the atlas, relative to the folder of the patient.
        warnings: of all steps of the preparation.
    """

    files: CaseFiles
    warnings: tuple[Issue, ...]


def prepared_case(folder: Path, task: Task) -> PreparedCase | None:
    """Return a prepared patient as a case to segment; None if the preparation failed.

    Args:
        folder: folder of the patient, with a folder for each step, named after the patient.
        task: defines the channels.

    Raises:
        UserError: a record is corrupted.
    """
    records = [entry.record for entry in read_patient_records(folder, with_native=False)]
    if first_failure(records) is not None:
        return None
    names = {channel: atlas_path(Path(_ATLAS_FOLDER), folder.name, channel) for channel in task.channel_names}
    files: dict[str, tuple[str, ...]] = {
        channel: (str(name),) for channel, name in names.items() if (folder / name).exists()
    }
    warnings = dict.fromkeys(warning for record in records for warning in record.warnings)
    return PreparedCase(CaseFiles(folder.name, files, _ATLAS_FOLDER), tuple(warnings))
