"""Read the records of all preparation steps of a patient."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tumorseg.preparation.step_record import RECORD_FILE, StepRecord, read_step_record

_RECORDS: Final = (
    f"images/{RECORD_FILE}",
    "coregistered/*.json",
    f"brain/{RECORD_FILE}",
    f"atlas/{RECORD_FILE}",
)
"""Patterns of the records in the folder of a patient, in the order of the steps before the segmentation."""
_NATIVE: Final = f"native/{RECORD_FILE}"
"""The record of the step after the segmentation."""


@dataclass(frozen=True)
class PatientRecord:
    """A record of a patient.

    Attributes:
        record: the record.
        channel: the channel, if the step has a record for each channel; else empty.
    """

    record: StepRecord
    channel: str = ""


def read_patient_records(folder: Path, *, with_native: bool = True) -> list[PatientRecord]:
    """Return the records of a patient in the order of the steps, without those of channels that the patient lacks.

    Args:
        folder: folder of the prepared patient. It may lack steps.
        with_native: whether to read the record of the step after the segmentation, too. Before the segmentation, it is
            one of an earlier run.

    Raises:
        UserError: a record is corrupted.
    """
    records = [
        PatientRecord(read_step_record(path), "" if path.name == RECORD_FILE else path.stem)
        for pattern in (*_RECORDS, *([_NATIVE] if with_native else []))
        for path in sorted(folder.glob(pattern))
    ]
    return [entry for entry in records if not entry.record.facts.get("absent")]
