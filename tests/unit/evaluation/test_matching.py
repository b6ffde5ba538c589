import pytest

from tests.support.case_files import TASK
from tumorseg.errors import UserError
from tumorseg.evaluation.matching import MaskPair, masks_digest, match_folders


@pytest.fixture
def folders(tmp_path):
    """A function that makes `references` and folders of predictions, whose files contain their own names."""

    def make(references: list[str], **predictions: list[str]):
        for folder, names in {"references": references, **predictions}.items():
            (tmp_path / folder).mkdir()
            for name in names:
                (tmp_path / folder / name).write_text(name)
        return tmp_path / "references", [tmp_path / folder for folder in predictions]

    return make


def test_masks_match_by_case_and_the_others_are_listed(folders):
    references = ["BraTS2021_00001_seg.nii.gz", "BraTS2021_00002_seg.nii.gz"]
    (matches,) = match_folders(*folders(references, p=["brats2021_00001.nii", "x.nii"]), TASK).values()
    assert matches.pairs == (
        MaskPair("BraTS2021_00001", "BraTS2021_00001_seg.nii.gz", "brats2021_00001.nii"),
        MaskPair("BraTS2021_00002", "BraTS2021_00002_seg.nii.gz", None),
    )
    assert matches.without_reference == ("x.nii",)


def test_masks_without_brats_names_match_by_their_stems(folders):
    (matches,) = match_folders(*folders(["7-seg.nii.gz"], p=["7.nii"]), TASK).values()
    assert matches.pairs == (MaskPair("7", "7-seg.nii.gz", "7.nii"),)


def test_every_folder_has_a_pair_for_every_reference(folders):
    matches = match_folders(*folders(["1.nii", "2.nii"], p=["1.nii"], q=["2.nii"]), TASK)
    assert [pair.prediction for pair in matches["p"].pairs] == ["1.nii", None]
    assert [pair.prediction for pair in matches["q"].pairs] == [None, "2.nii"]


def test_an_error_without_any_match_shows_cases_of_both_folders(folders):
    predictions = ["BraTS-GLI-00005-000.nii", *(f"{number}.nii" for number in range(3))]
    with pytest.raises(UserError) as caught:
        match_folders(*folders(["BraTS2021_00005.nii"], p=predictions), TASK)
    assert "(cases 0, 1, 2 …) has its reference below score.references" in str(caught.value)
    assert "(cases BraTS2021_00005); use the name of the case in both file names" in str(caught.value)


def test_a_folder_listed_twice_is_refused(folders):
    references, (predictions,) = folders(["1.nii"], p=["1.nii"])
    with pytest.raises(UserError, match="are the same folder"):
        match_folders(references, [predictions, predictions / "../p"], TASK)


def make_huge(file, size: int = 2**37):
    """Make a sparse file too large to read in reasonable time."""
    with file.open("r+b") as opened:
        opened.truncate(size)


@pytest.fixture
def digest(folders):
    references, predictions = folders(["1.nii", "2.nii"], p=["1.nii", "9.nii"])

    def compute(change=None):
        if change:
            change(references, predictions[0])
        return masks_digest(match_folders(references, predictions, TASK), references)

    return compute


@pytest.mark.parametrize(
    "change",
    [
        lambda _, predictions: (predictions / "1.nii").write_text("2"),
        lambda _, predictions: make_huge(predictions / "1.nii"),
        lambda references, _: (references / "2.nii").write_text("1"),
        lambda _, predictions: (predictions / "2.nii").write_text(""),
        lambda _, predictions: (predictions / "9.nii").unlink(),
        lambda references, _: (references / "2.nii").unlink(),
        lambda _, predictions: (predictions / "1.nii").rename(predictions / "1-seg.nii"),
    ],
)
def test_the_digest_changes_with_the_masks_and_their_names(digest, change):
    assert digest() != digest(change)


@pytest.mark.parametrize(
    "change",
    [
        lambda _, predictions: (predictions / "1.nii").touch(),
        lambda _, predictions: (predictions / "9.nii").write_text("not scored"),
        lambda _, predictions: (predictions / "notes.txt").touch(),
    ],
)
def test_the_digest_ignores_what_does_not_affect_scores(digest, change):
    assert digest() == digest(change)


def test_a_broken_link_is_left_to_the_job(digest):
    assert digest(lambda _, predictions: (predictions / "2.nii").symlink_to("nowhere"))


def test_a_file_too_large_to_be_a_mask_counts_by_its_size(digest):
    large = digest(lambda _, predictions: make_huge(predictions / "1.nii"))
    assert digest() == large
    assert digest(lambda _, predictions: make_huge(predictions / "1.nii", 2**37 + 1)) != large
