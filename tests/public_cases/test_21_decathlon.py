"""Case 21: the brain tumours of the Decathlon are read with their own task and refused with another."""

import numpy as np
import pytest

from tests.public_cases import generate_case
from tests.support.case_files import TASK
from tests.support.validated_cohorts import cohort_check_result, validate_cohort
from tumorseg.cohort.discovery import discover_cases, locate_cohort_folder
from tumorseg.cohort.validated_files import reread_images
from tumorseg.errors import UserError
from tumorseg.task import load_task

DECATHLON = load_task("decathlon-brain-tumour")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return generate_case("21", tmp_path_factory.mktemp("decathlon"))


@pytest.mark.parametrize("folder", ["", "Task01_BrainTumour"])
def test_the_cohort_has_its_channels_and_labels(data, folder):
    root, _ = locate_cohort_folder(data / folder, DECATHLON)
    results = validate_cohort(root, DECATHLON)
    assert [result.case for result in results] == ["BRATS_001", "BRATS_002", "BRATS_003"]
    assert cohort_check_result(results, DECATHLON)["usable"] == 3
    # Label 1 is oedema, the outermost and largest; 3 is enhancing tumour.
    facts = results[0].facts
    assert facts["label_1"] > facts["label_3"] > facts["label_2"] > 0
    images = reread_images(root, facts, DECATHLON)
    assert list(images) == ["flair", "t1", "t1ce", "t2"]
    assert np.percentile(images["t1ce"].array, 99.9) > np.percentile(images["t1"].array, 99.9)


@pytest.mark.parametrize("folder", ["", "Task01_BrainTumour"])
def test_another_task_is_refused_and_the_right_one_is_named(data, folder):
    with pytest.raises(UserError, match=r"set cohort\.task to decathlon-brain-tumour"):
        discover_cases(locate_cohort_folder(data / folder, TASK)[0], TASK)
