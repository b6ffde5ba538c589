"""Data sets of nnU-Net and the Decathlon: channels and labels match the task by name, or are refused."""

import json

import pytest

from tests.support.case_files import TASK, write_empty_files
from tumorseg.cohort.discovery import discover_cases, locate_cohort_folder
from tumorseg.errors import UserError
from tumorseg.task import load_task

CHANNELS = {"0": "T1", "1": "T1ce", "2": "T2", "3": "Flair"}
LABELS = {"background": 0, "necrosis": 1, "edema": 2, "enhancing tumor": 3}
EXCHANGED = {"background": 0, "edema": 1, "non-enhancing tumor": 2, "enhancing tumour": 3}
REGIONS = {"background": 0, "whole tumor": [1, 2, 3], "tumor core": [2, 3], "enhancing tumor": [3]}
DECATHLON = load_task("decathlon-brain-tumour")


def raw(root, *, channels=CHANNELS, labels=LABELS, ending=".nii.gz", cases=("BRATS_001", "BRATS_002"), **more):
    for case in cases:
        write_empty_files(
            root, *(f"imagesTr/{case}_000{number}{ending}" for number in range(len(channels or CHANNELS)))
        )
        write_empty_files(root, f"labelsTr/{case}{ending}")
    content = {"channel_names": channels, "labels": labels, "file_ending": ending, **more}
    (root / "dataset.json").write_text(json.dumps({key: value for key, value in content.items() if value is not None}))
    return root


@pytest.mark.parametrize(
    "channels",
    [CHANNELS, {"0": "FLAIR", "1": "T1w", "2": "t1gd", "3": "T2w"}, {"0": "t2f", "1": "T1-Gd", "2": "t2w", "3": "t1n"}],
)
def test_channels_are_matched_by_name(tmp_path, channels):
    task_channels = {"T1": "t1", "T1w": "t1", "t1n": "t1", "T1ce": "t1ce", "t1gd": "t1ce", "T1-Gd": "t1ce"}
    task_channels |= {"T2": "t2", "T2w": "t2", "t2w": "t2", "Flair": "flair", "FLAIR": "flair", "t2f": "flair"}
    first, second = discover_cases(raw(tmp_path, channels=channels), TASK)
    assert (first.case, second.case, first.folder) == ("BRATS_001", "BRATS_002", None)
    expected = {task_channels[name]: (f"imagesTr/BRATS_001_000{number}.nii.gz",) for number, name in channels.items()}
    assert first.files == expected | {"seg": ("labelsTr/BRATS_001.nii.gz",)}


def test_channels_are_matched_by_modality_of_nnunet_version_1(tmp_path):
    raw(
        tmp_path,
        channels=None,
        labels={"0": "background", "1": "necrosis", "2": "edema", "3": "enhancing"},
        modality=CHANNELS,
    )
    assert discover_cases(tmp_path, TASK)[0].files["t2"] == ("imagesTr/BRATS_001_0002.nii.gz",)


@pytest.mark.parametrize(
    ("channels", "words"),
    [
        (None, "does not name the channels; add channel_names"),
        (
            {**CHANNELS, "3": "ADC"},
            "the channel ADC of .* not in the task brats-glioma, which has T1, T1CE, T2, FLAIR",
        ),
        ({**CHANNELS, "3": "T2w"}, "two channels .* have the same meaning, one of them T2w"),
        ({"0": "T1", "1": "T1ce", "2": "T2"}, "has no channel FLAIR"),
    ],
)
def test_channels_that_do_not_fit_the_task_are_refused(tmp_path, channels, words):
    with pytest.raises(UserError, match=f"cohort.root: .*{words}"):
        discover_cases(raw(tmp_path, channels=channels), TASK)


@pytest.mark.parametrize("labels", [EXCHANGED, REGIONS])
def test_labels_that_contradict_the_task_are_refused_with_the_map_to_set(tmp_path, labels):
    with pytest.raises(UserError, match=r"says that 1 marks .* set cohort.label_map to \{1: 2, 2: 1, 3: 4\}"):
        discover_cases(raw(tmp_path, labels=labels), TASK)
    assert len(discover_cases(tmp_path, TASK.with_label_map({1: 2, 2: 1, 3: 4}))) == 2


def test_a_label_map_that_contradicts_the_names_is_used_and_reported(tmp_path):
    notes = []
    discover_cases(raw(tmp_path, labels=EXCHANGED), TASK.with_label_map({1: 1, 2: 2, 3: 4}), note=notes.append)
    assert "says that 1 marks edema" in notes[0]
    assert "the map takes precedence" in notes[0]


def test_a_label_that_the_task_does_not_have_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"4 marks resection cavity, .*would become background.*another task"):
        discover_cases(raw(tmp_path, labels={**LABELS, "resection cavity": 4}), TASK)
    assert discover_cases(tmp_path, load_task("brats-glioma-post-treatment"))


@pytest.mark.parametrize(
    "labels", [LABELS, {"background": 0, "a": 1, "b": 2}, {"background": 0, "ignore": 9}, None, []]
)
def test_matching_and_unknown_label_names_are_accepted(tmp_path, labels):
    assert len(discover_cases(raw(tmp_path, labels=labels), TASK)) == 2


@pytest.mark.parametrize("ending", [".nrrd", ".png", ".mha"])
def test_other_formats_are_refused(tmp_path, ending):
    with pytest.raises(UserError, match=r"not NIfTI files.*convert"):
        discover_cases(raw(tmp_path, ending=ending), TASK)


def test_a_corrupted_dataset_json_is_named(tmp_path):
    raw(tmp_path)
    (tmp_path / "dataset.json").write_text("{")
    with pytest.raises(UserError, match=r"dataset.json cannot be read as JSON"):
        discover_cases(tmp_path, TASK)


def test_a_file_without_a_channel_number_is_named(tmp_path):
    write_empty_files(raw(tmp_path), "imagesTr/extra.nii.gz")
    with pytest.raises(UserError, match=r"imagesTr/extra.nii.gz is not understood"):
        discover_cases(tmp_path, TASK)


def test_a_case_without_an_image_or_its_mask_remains_a_case(tmp_path):
    raw(tmp_path)
    (tmp_path / "imagesTr/BRATS_001_0000.nii.gz").unlink()
    (tmp_path / "labelsTr/BRATS_002.nii.gz").unlink()
    assert [sorted(case.files) for case in discover_cases(tmp_path, TASK)] == [
        ["flair", "seg", "t1ce", "t2"],
        ["flair", "t1", "t1ce", "t2"],
    ]


def test_new_patients_are_read_from_images_ts_without_labels(tmp_path):
    write_empty_files(raw(tmp_path, labels=EXCHANGED), *(f"imagesTs/NEW_001_000{number}.nii.gz" for number in range(4)))
    (case,) = discover_cases(tmp_path, TASK, "segment.cases", masks=False)
    assert (case.case, case.files["t1"]) == ("NEW_001", ("imagesTs/NEW_001_0000.nii.gz",))
    folder, note = locate_cohort_folder(tmp_path / "imagesTs", TASK, "segment.cases")
    assert (folder, note) == (tmp_path / "imagesTs", None)
    assert discover_cases(folder, TASK, "segment.cases", masks=False)[0].files["t1"] == ("NEW_001_0000.nii.gz",)


def decathlon(root, **content):
    for number in (1, 2, 3):
        write_empty_files(
            root,
            f"imagesTr/BRATS_00{number}.nii.gz",
            f"labelsTr/BRATS_00{number}.nii.gz",
            f"imagesTr/._BRATS_00{number}.nii.gz",
        )
    write_empty_files(root, "imagesTs/BRATS_485.nii.gz")
    (root / "dataset.json").write_text(json.dumps({"name": "BRATS", **content}))
    return root


def test_a_4d_file_holds_all_channels(tmp_path):
    modality = {"0": "FLAIR", "1": "T1w", "2": "t1gd", "3": "T2w"}
    labels = {"0": "background", "1": "edema", "2": "non-enhancing tumor", "3": "enhancing tumour"}
    cases = discover_cases(decathlon(tmp_path, modality=modality, labels=labels), DECATHLON)
    assert [case.case for case in cases] == ["BRATS_001", "BRATS_002", "BRATS_003"]
    image = ("imagesTr/BRATS_001.nii.gz",)
    assert cases[0].files == {**dict.fromkeys(DECATHLON.channel_names, image), "seg": ("labelsTr/BRATS_001.nii.gz",)}
    assert cases[0].paths() == ["imagesTr/BRATS_001.nii.gz", "labelsTr/BRATS_001.nii.gz"]
    (new,) = discover_cases(tmp_path, DECATHLON, "segment.cases", masks=False)
    assert (new.case, list(new.files)) == ("BRATS_485", sorted(DECATHLON.channel_names))


def test_the_default_task_refers_to_the_task_of_the_decathlon(tmp_path):
    with pytest.raises(UserError, match=r"Decathlon.*set cohort.task to decathlon-brain-tumour"):
        discover_cases(decathlon(tmp_path), TASK)


def test_another_order_of_the_channels_is_refused(tmp_path):
    with pytest.raises(UserError, match="names the channels in the order T1, T1ce, T2, Flair"):
        discover_cases(decathlon(tmp_path, modality=CHANNELS), DECATHLON)


def test_nnunet_s_files_do_not_fit_the_task_of_the_decathlon(tmp_path):
    with pytest.raises(UserError, match="one file per channel"):
        discover_cases(raw(tmp_path), DECATHLON)


def test_a_data_set_one_level_deeper_is_found(tmp_path):
    decathlon(tmp_path / "Task01_BrainTumour")
    folder, note = locate_cohort_folder(tmp_path, DECATHLON)
    assert (folder.name, "one level below" in str(note)) == ("Task01_BrainTumour", True)
    assert len(discover_cases(folder, DECATHLON)) == 3


def test_case_folders_beside_images_tr_are_mixed_layouts(tmp_path):
    write_empty_files(raw(tmp_path), *(f"B1/B1_{role}.nii.gz" for role in ("t1", "t1ce", "t2", "flair", "seg")))
    with pytest.raises(UserError, match=r"mixes layouts: imagesTr .* and B1"):
        discover_cases(tmp_path, TASK)
