"""Results of new patients and the pages about them, without a network."""

from dataclasses import replace
from pathlib import Path

from PIL import Image

from tests.support.builders import TASK
from tests.unit.plotting.test_viewer_volumes import case_of
from tumorseg.cohort.validation_result import Issue
from tumorseg.plotting.viewer_volumes import write_viewer_script
from tumorseg.preparation.patient_records import PatientRecord
from tumorseg.preparation.step_record import StepRecord
from tumorseg.provenance.run_facts import RunFacts
from tumorseg.segmentation.result_files import picture_file, viewer_file
from tumorseg.segmentation.results import PatientResult

COLOURS = {1: "#D55E00", 2: "#56B4E9", 4: "#F0E442"}
HOSTILE = "<b> #1 50%"
RUN = RunFacts("2026-01-02 03:04 UTC", "c0ffee", "a machine", {"Python": "3.11.7"})
METHOD = {
    "models": [{"file": "elsewhere/fold-0.safetensors", "digest": "0123abcd", "mark": "STARTER MODEL: check <all>"}],
    "structures": list(TASK.structures),
    "prediction": {"mode": "auto", "fill_holes": False, "remove_components": {"WT": 50}},
    "execution": "cpu fp32",
    "task": TASK.to_json(),
}
VOLUMES = {"WT": 34567.0, "TC": 4567.0, "ET": 120.0, "label_1": 4447.0, "label_2": 30000.0, "label_4": 120.0}
WARNING = Issue("nearly_equal_modalities", "with warning", "T1 and <T2> look alike; check both")


def segmented(case: str, **changes) -> PatientResult:
    """Return the result of a segmented patient."""
    return replace(PatientResult(case, channels=TASK.channel_names, volumes=VOLUMES), **changes)


PATIENTS = [
    segmented("a"),
    segmented(HOSTILE, channels=("t1", "t1ce", "t2"), expected_dice={"WT": 0.613}, changed={"removed_from_ET": 12}),
    PatientResult("failed", "truncated", "t2.nii.gz: the file stops in the middle; copy <it> again"),
    segmented("with warning", warnings=(WARNING, Issue("starter_model", "with warning", "STARTER MODEL"))),
]
RECORDS = {
    "a": [
        PatientRecord(StepRecord("a", "convert", facts={"study_date": "2024-03-01"})),
        PatientRecord(StepRecord("a", "coregister", facts={"shift_mm": 2.5}), "t1ce"),
    ]
}


def write_files(folder: Path, patients: list[PatientResult]) -> None:
    """Write the picture and the volumes of each segmented patient, as segment_batch does."""
    view = case_of()
    for patient in patients:
        if patient.segmented:
            image = view.image.copy()
            image[[name not in patient.channels for name in TASK.channel_names]] = 0
            write_viewer_script(folder / viewer_file(patient.case), replace(view, case=patient.case, image=image), TASK)
            Image.new("RGB", (60, 30), "navy").save(folder / picture_file(patient.case))
