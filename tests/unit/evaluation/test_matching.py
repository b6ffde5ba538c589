import pytest

from tests.support.case_files import TASK
from tumorseg.errors import UserError
from tumorseg.evaluation.matching import MaskPair, masks_digest, match_folders


@pytest.fixture
def folders(tmp_path):
    """Folders of files that hold their own names: `references` and one or more of predictions."""

    def made(references: list[str], **predictions: list[str]):
        for folder, names in {"references": references, **predictions}.items():
            (tmp_path / folder).mkdir()
            for name in names:
                (tmp_path / folder / name).write_text(name)
        return [tmp_path / folder for folder in predictions], tmp_path / "references"

    return made


def test_masks_match_by_case_and_the_others_are_listed(folders):
    given = folders(["BraTS2021_00001_seg.nii.gz", "BraTS2021_00002_seg.nii.gz"], p=["brats2021_00001.nii", "x.nii"])
    (matches,) = match_folders(*given, TASK).values()
    assert matches.pairs == (
        MaskPair("BraTS2021_00001", "BraTS2021_00001_seg.nii.gz", "brats2021_00001.nii"),
        MaskPair("BraTS2021_00002", "BraTS2021_00002_seg.nii.gz", None),
    )
    assert matches.without_reference == ("x.nii",)


def test_masks_that_are_no_cases_of_brats_match_by_their_stems(folders):
    (matches,) = match_folders(*folders(["7-seg.nii.gz"], p=["7.nii"]), TASK).values()
    assert matches.pairs == (MaskPair("7", "7-seg.nii.gz", "7.nii"),)


def test_every_folder_has_a_pair_for_every_reference(folders):
    matches = match_folders(*folders(["1.nii", "2.nii"], p=["1.nii"], q=["2.nii"]), TASK)
    assert {name: [pair.prediction for pair in found.pairs] for name, found in matches.items()} == {
        "p": ["1.nii", None],
        "q": [None, "2.nii"],
    }


def test_where_nothing_matches_both_sides_are_shown(folders):
    given = folders(["BraTS2021_00005.nii"], p=["BraTS-GLI-00005-000.nii", *(f"{number}.nii" for number in range(3))])
    with pytest.raises(UserError) as caught:
        match_folders(*given, TASK)
    assert "(cases 0, 1, 2 …) has its reference below score.references" in str(caught.value)
    assert "(cases BraTS2021_00005); name the masks of a case alike" in str(caught.value)


def test_a_folder_that_is_given_twice_is_told(folders):
    (predictions,), references = folders(["1.nii"], p=["1.nii"])
    with pytest.raises(UserError, match="are one folder"):
        match_folders([predictions, predictions / "../p"], references, TASK)


def make_huge(file, size: int = 2**37):
    """A file of more bytes than can be read in the time that a person waits, though it takes no room on the disk."""
    with file.open("r+b") as opened:
        opened.truncate(size)


@pytest.fixture
def digest(folders):
    predictions, references = folders(["1.nii", "2.nii"], p=["1.nii", "9.nii"])

    def of(change=None):
        if change:
            change(predictions[0], references)
        return masks_digest(match_folders(predictions, references, TASK), references)

    return of


@pytest.mark.parametrize(
    "change",
    [
        lambda predictions, _: (predictions / "1.nii").write_text("2"),
        lambda predictions, _: make_huge(predictions / "1.nii"),
        lambda _, references: (references / "2.nii").write_text("1"),
        lambda predictions, _: (predictions / "2.nii").write_text(""),
        lambda predictions, _: (predictions / "9.nii").unlink(),
        lambda _, references: (references / "2.nii").unlink(),
        lambda predictions, _: (predictions / "1.nii").rename(predictions / "1-seg.nii"),
    ],
)
def test_the_digest_changes_with_a_mask_and_with_which_there_are(digest, change):
    assert digest() != digest(change)


@pytest.mark.parametrize(
    "change",
    [
        lambda predictions, _: (predictions / "1.nii").touch(),
        lambda predictions, _: (predictions / "9.nii").write_text("no one looks at it"),
        lambda predictions, _: (predictions / "notes.txt").touch(),
    ],
)
def test_the_digest_does_not_change_with_what_no_score_depends_on(digest, change):
    assert digest() == digest(change)


def test_a_link_that_leads_nowhere_is_left_to_the_job(digest):
    assert digest(lambda predictions, _: (predictions / "2.nii").symlink_to("nowhere"))


def test_a_file_too_large_to_be_a_mask_counts_by_its_size(digest):
    large = digest(lambda predictions, _: make_huge(predictions / "1.nii"))
    assert digest() == large
    assert digest(lambda predictions, _: make_huge(predictions / "1.nii", 2**37 + 1)) != large
