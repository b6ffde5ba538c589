import numpy as np
import pandas as pd
import pytest

from tests.support.case_files import AFFINE
from tumorseg.evaluation.disagreements import MAX_CASES, find_disagreements, read_masks, slices_of
from tumorseg.evaluation.masks import MaskReadOptions
from tumorseg.evaluation.matching import MaskPair
from tumorseg.evaluation.prediction_folder import MaskFolders, PairedPredictions
from tumorseg.io.nifti import write_nifti
from tumorseg.task import load_task

TASK = load_task()
CASES = [f"case-{number}" for number in range(9)]


def table(*dice: float) -> pd.DataFrame:
    """Return the Dice of the cases, the same for each structure."""
    rows = [(case, name, value) for case, value in zip(CASES, dice, strict=False) for name in TASK.structures]
    return pd.DataFrame(rows, columns=["case", "region", "dice"])


def paired(cases: int, without=(), folders: MaskFolders | None = None) -> PairedPredictions:
    pairs = [MaskPair(case, f"{case}.nii.gz", None if case in without else f"{case}.nii.gz") for case in CASES[:cases]]
    return PairedPredictions(pairs, folders, (), frozenset(), {})


def test_cases_with_the_largest_spread_come_first_then_those_with_the_lowest_dice():
    first, second = table(*[0.9] * 5, 0.3, 0.4, 0.5, 1.0), table(0.1, 0.2, 0.3, 0.4, 0.5, 0.3, 0.4, 0.5, 1.0)
    found = find_disagreements({"a": first, "b": second}, {"a": paired(9), "b": paired(9)}, TASK)
    assert [(each.case, each.between_folders) for each in found] == [
        *((case, True) for case in CASES[:3]),
        *((case, False) for case in (CASES[5], CASES[3], CASES[6])),
    ]
    assert len(found) == 2 * MAX_CASES
    assert found[0].spread == pytest.approx(0.8)


def test_a_missing_prediction_is_no_disagreement():
    tables = {"a": table(0.9, 0.8), "b": table(0.0, 0.7)}
    found = find_disagreements(tables, {"a": paired(2), "b": paired(2, without=CASES[:1])}, TASK)
    assert [(each.case, each.between_folders) for each in found] == [(CASES[1], True), (CASES[0], False)]
    assert found[1].dice == pytest.approx({"a": 0.9})


def test_perfect_masks_have_no_disagreement():
    assert find_disagreements({"a": table(1.0, 1.0)}, {"a": paired(2)}, TASK) == []


@pytest.fixture
def folders(tmp_path):
    """A reference with tumour in the slices 2 to 6, and predictions that differ in the slices 3, and 3 and 5."""
    reference = np.zeros((8, 9, 10), np.uint8)
    reference[2:6, 2:6, 2:7] = 2
    one, two = reference.copy(), reference.copy()
    one[2:6, 2:6, 3] = two[2:6, 2:6, 3] = 0
    two[2:4, 2:6, 5] = 4
    for folder, mask in (("references", reference), ("one", one), ("two", two)):
        write_nifti(tmp_path / folder / f"{CASES[0]}.nii.gz", mask, AFFINE)
    options = MaskReadOptions(TASK)
    return {
        name: paired(1, folders=MaskFolders(tmp_path / "references", tmp_path / name, options, options))
        for name in ("one", "two")
    }


@pytest.mark.parametrize(("between_folders", "index"), [(True, 5), (False, 3)])
def test_the_slice_with_the_largest_disagreement_is_shown(folders, between_folders, index):
    slices = slices_of(read_masks(CASES[0], folders), between_folders=between_folders)
    assert (slices.number, slices.count) == (index + 1, 10)  # the affine points to the head
    assert slices.reference.shape == (9, 8)
    assert np.count_nonzero(slices.reference) == 16
    assert np.count_nonzero(slices.predictions["two"] == 4) == (8 if index == 5 else 0)


def test_a_missing_prediction_has_no_slice(folders):
    folders["two"] = paired(1, without=CASES, folders=folders["two"].folders)
    masks = read_masks(CASES[0], folders)
    slices = slices_of(masks, between_folders=False)
    assert [*masks.valid] == ["one"]
    assert slices.predictions["two"] is None
    assert slices.predictions["one"].shape == (9, 8)
