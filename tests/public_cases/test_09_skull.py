"""Case 09: a head with skull, scalp and the noise of air gets a warning; the same brain without them does not."""

from tests.public_cases import generate_case
from tests.support.case_files import TASK
from tumorseg.cohort.case_validation import validate_case
from tumorseg.cohort.discovery import discover_cases


def test_each_modality_of_a_head_with_skull_gets_a_warning(tmp_path):
    root = generate_case("09", tmp_path) / "patients"
    brain, head = (
        validate_case(root, case, task=TASK, shape=None, labels="auto", with_mask=False)[0]
        for case in discover_cases(root, TASK, "segment.cases")
    )
    assert (brain.case, brain.usable, brain.warnings) == ("patient_0", True, ())
    assert (head.case, head.usable) == ("patient_1", True)
    files = {warning.file for warning in head.warnings if warning.code == "not_skull_stripped"}
    assert files == {facts["path"] for facts in head.facts["files"].values()}
