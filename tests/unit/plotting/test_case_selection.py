from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from tests.support.builders import record_predictions
from tests.unit.plotting.test_figure_script import LPS, MARGIN, write_cohort
from tumorseg.errors import UserError
from tumorseg.plotting.case_selection import load_cases, select_cases
from tumorseg.preprocessing.store import find_case, read_case
from tumorseg.task import load_task

TASK = load_task()

SHAPE = (8, 9, 10)


def scores_of(dice: dict[str, float]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"case": case, "region": structure, "dice": value}
            for case, value in dice.items()
            for structure in TASK.structures
        ]
    )


def selected(dice: dict[str, float], count: int) -> list[str]:
    return [case.case for case in select_cases(scores_of(dice), count, TASK)]


def test_best_median_and_worst_are_selected():
    cases = select_cases(scores_of({"a": 0.1, "b": 0.9, "c": 0.5, "d": 0.7, "e": 0.3}), 3, TASK)
    assert [case.case for case in cases] == ["b", "c", "a"]
    ranks = [case.title.split(": ")[1].split(" of")[0] for case in cases]
    assert ranks == ["best", "median", "worst"]


def test_the_better_of_two_cases_is_the_best():
    titles = [case.title for case in select_cases(scores_of({"a": 0.1, "b": 0.9}), 2, TASK)]
    assert [title.split(",")[0] for title in titles] == ["b: best of 2 cases", "a: worst of 2 cases"]


def test_ties_are_ordered_by_case_id():
    assert selected({"b": 0.5, "a": 0.5, "c": 0.5}, 3) == ["a", "b", "c"]


def test_a_single_requested_case_is_the_median_one():
    assert selected({"a": 0.1, "b": 0.9, "c": 0.5}, 1) == ["c"]


def test_at_most_all_cases_are_selected():
    assert selected({"a": 0.1, "b": 0.9}, 5) == ["b", "a"]


def test_only_labels_affect_the_ranking():
    scores = scores_of({"a": 0.6, "b": 0.5})
    scores.loc[(scores["case"] == "b") & (scores["region"] == "WT"), "dice"] = 1.0
    assert [case.case for case in select_cases(scores, 2, TASK)] == ["a", "b"]


def test_missing_scores_are_reported():
    with pytest.raises(UserError, match="there are no scores"):
        select_cases(scores_of({}).reindex(columns=["case", "region", "dice"]), 3, TASK)


@pytest.fixture
def cohort(tmp_path: Path) -> Path:
    write_cohort(tmp_path, SHAPE, [0.0])
    return tmp_path


def load(cohort: Path):
    normalised = sorted((cohort / "normalised").iterdir())
    return load_cases(cohort / "cases.csv", 1, normalised, [cohort / "predictions" / "fold-0"], task=TASK)[0]


def prediction_of(cohort: Path) -> Path:
    return next((cohort / "predictions" / "fold-0").iterdir())


def replace_prediction(cohort: Path, mask: np.ndarray, affine: np.ndarray = LPS, *, enhancing: int = 3) -> None:
    nib.save(nib.Nifti1Image(mask, affine), prediction_of(cohort))
    record_predictions(cohort / "predictions/fold-0", enhancing=enhancing)


def whole_grid() -> np.ndarray:
    return np.zeros([size + 2 * MARGIN for size in SHAPE], np.uint8)


@pytest.mark.parametrize("enhancing", [3, 4])
def test_both_values_of_enhancing_tumour_are_read(cohort, enhancing):
    mask = whole_grid()
    mask[MARGIN, MARGIN, MARGIN] = enhancing
    replace_prediction(cohort, mask, enhancing=enhancing)
    prediction = load(cohort).prediction
    assert prediction[0, 0, -1] == 4  # the first voxel of the crop, at the bottom
    assert np.count_nonzero(prediction) == 1


def test_a_perfect_prediction_equals_its_reference(cohort):
    view = load(cohort)
    assert view.reference.any()
    assert (view.prediction == view.reference).all()


def test_the_image_is_reoriented_with_its_mask(cohort):
    view = load(cohort)
    stored = read_case(find_case([cohort / "normalised" / "batch-0"], view.case))
    enhancing = np.sort(view.image[:, view.reference == 4], axis=1)
    assert (enhancing == np.sort(stored.image[:, stored.mask == 4], axis=1)).all()
    assert (view.image[0] == stored.image[0][:, :, ::-1]).all()  # L, P, S as stored; L, P, I on the screen


def test_a_resampled_case_is_shown_with_its_original_voxels(cohort, tmp_path):
    write_cohort(tmp_path / "resampled", SHAPE, [0.0], target_mm=(3, 3, 3))
    original, view = load(cohort), load(tmp_path / "resampled")
    for name in ("image", "reference", "prediction", "brain", "affine"):
        np.testing.assert_array_equal(getattr(view, name), getattr(original, name))
    assert (view.spacing_mm, view.slices) == (original.spacing_mm, original.slices)


def test_a_missing_prediction_is_reported(cohort):
    prediction_of(cohort).unlink()
    with pytest.raises(UserError, match="there is no prediction"):
        load(cohort)


@pytest.mark.parametrize(
    ("mask", "affine"), [(np.zeros((4, 4, 4), np.uint8), LPS), (whole_grid(), np.diag([1.0, 1.0, 1.0, 1.0]))]
)
def test_a_prediction_on_another_grid_is_reported(cohort, mask, affine):
    replace_prediction(cohort, mask, affine)
    with pytest.raises(UserError, match="not on the grid"):
        load(cohort)


def test_a_prediction_with_an_unknown_value_is_reported(cohort):
    replace_prediction(cohort, whole_grid() + 5)
    with pytest.raises(UserError, match="value 5"):
        load(cohort)


@pytest.mark.parametrize("corrupt", [lambda content: content[:-20], lambda content: content[:40] + b"\xff" * 40])
def test_a_corrupted_prediction_is_reported(cohort, corrupt):
    path = prediction_of(cohort)
    path.write_bytes(corrupt(path.read_bytes()))
    with pytest.raises(UserError, match="prediction is corrupted"):
        load(cohort)
