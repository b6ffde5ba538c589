"""Tasks: built-in ones, files of users, label maps, and the refusal of invalid ones."""

from pathlib import Path

import pytest
import yaml

from tests.support.builders import REPOSITORY
from tumorseg.cohort.case_reader import report_missing_file
from tumorseg.configuration.label_maps import score_label_maps
from tumorseg.configuration.schema_validation import schema_errors
from tumorseg.configuration.task_validation import load_configured_task, stringify_keys
from tumorseg.errors import UserError
from tumorseg.task import Task, built_in_tasks, load_task, parse_task_argument

SCHEMA = yaml.safe_load((REPOSITORY / "workflow/schemas/task.schema.yaml").read_text())


@pytest.mark.parametrize("name", built_in_tasks())
def test_a_built_in_task_follows_the_schema(name):
    content = yaml.safe_load((REPOSITORY / f"workflow/tasks/{name}.yaml").read_text())
    assert schema_errors(stringify_keys(content), SCHEMA) == []


@pytest.mark.parametrize("name", built_in_tasks())
def test_a_task_survives_its_json(name):
    assert parse_task_argument(load_task(name).to_json()) == load_task(name)


def test_the_default_task_is_brats_glioma():
    task = load_task()
    assert task.channel_names == ("t1", "t1ce", "t2", "flair")
    assert (task.classes, task.label_values, task.unused_classes) == (5, (1, 2, 4), (3,))
    assert task.region_labels == {"WT": (1, 2, 4), "TC": (1, 4), "ET": (4,)}
    assert task.labels_by_value("brats2023") == {0: 0, 1: 1, 2: 2, 3: 4}
    assert task.values_by_label("brats2021") == {0: 0, 1: 1, 2: 2, 4: 4}


def test_a_label_map_replaces_the_conventions():
    task = load_task().with_label_map({1: 2, 2: 1, 3: 4})
    assert task.labels_by_value("label_map") == {0: 0, 1: 2, 2: 1, 3: 4}
    assert task.values_by_label("label_map") == {0: 0, 1: 2, 2: 1, 4: 3}


def test_a_label_map_that_cannot_be_inverted_writes_canonical_labels():
    task = load_task().with_label_map({1: 1, 2: 1, 3: 4})
    assert task.values_by_label("label_map") == {0: 0, 1: 1, 2: 2, 4: 4}


@pytest.mark.parametrize(("label_map", "message"), [({1: 7}, "7 is not a label"), ({0: 1}, "0 is background")])
def test_a_label_map_with_other_labels_is_refused(label_map, message):
    with pytest.raises(UserError, match=message):
        load_task().with_label_map(label_map)


def test_an_unknown_task_is_refused_with_the_known_ones():
    with pytest.raises(UserError, match="there is no task brats; it has to be one of brats-africa, brats-glioma"):
        load_task("brats")


def label(colour: str) -> dict[str, str]:
    return {"title": "a", "meaning": "other", "colour": colour}


def write_changed_task(tmp_path: Path, **changes) -> Path:
    content = yaml.safe_load((REPOSITORY / "workflow/tasks/brats-glioma.yaml").read_text())
    path = tmp_path / "own.yaml"
    path.write_text(yaml.safe_dump(content | changes))
    return path


def test_the_task_in_a_users_file_is_loaded(tmp_path):
    task = load_task(str(write_changed_task(tmp_path, title="mine")))
    assert (task.name, task.title) == ("own", "mine")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"classes": 3}, "label 4 needs at least 5 classes"),
        ({"regions": {"WT": {"title": "w", "labels": [1, 3], "removed_to": 0}}}, "region WT has the label 3"),
        ({"regions": {"WT": {"title": "w", "labels": [1], "removed_to": 1}}}, "removed_to must be a label outside"),
        (
            {"channels": {"a": {"title": "A", "files": ["x"]}, "b": {"title": "B", "files": ["X"]}}},
            "files that end in x",
        ),
        ({"channels": {"a": {"title": "A"}, "b": {"title": "B", "volume": 1}}}, "either all channels"),
        ({"channels": {"seg": {"title": "A"}}}, "a channel needs a name of lower-case letters .* not seg"),
        ({"channels": {"prediction": {"title": "A"}}}, "not prediction"),
        ({"channels": {1: {"title": "A", "files": ["x"]}, "B": {"title": "B", "files": ["y"]}}}, "letters .* not B"),
        ({"mask": {"files": ["-seg"]}}, "the file name ending -seg must not start with a hyphen"),
        ({"mask": {"files": ["seg.nii.gz"]}}, "the file name ending seg.nii.gz must not"),
        (
            {"regions": {name: {"title": "w", "labels": [1], "removed_to": 0} for name in ("WT", "wt")}},
            "two regions have the name wt",
        ),
        ({"patient": "BraTS-.*"}, "patient needs a group"),
        ({"case_name": "case-{time_point}"}, "all patients have the same name"),
        ({"conventions": {"mixed": {}}}, "a convention cannot have the name mixed"),
        (
            {
                "labels": {
                    n: {"title": "a", "meaning": "other", "colour": c} for n, c in ((1, "#aabbcc"), (2, "#AABBCC"))
                }
            },
            "two labels have the colour #AABBCC",
        ),
        ({"conventions": {"odd": {4: 1}}}, "convention odd writes two labels as 1"),
        ({"case_names": "("}, "case_names is not a regular expression"),
        ({"case_name": "{place}"}, "case_name can contain"),
    ],
)
def test_a_task_that_contradicts_itself_is_refused(tmp_path, changes, message):
    with pytest.raises(UserError, match=message):
        load_task(str(write_changed_task(tmp_path, **changes)))


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [("brats-gliomas", "brats-glioma"), ("BraTS-Pediatric", "brats-paediatric"), ("brats_mets", "brats-metastases")],
)
def test_a_mistyped_name_is_refused_with_a_suggestion(name, suggestion):
    with pytest.raises(UserError, match=rf"there is no task {name}; did you mean {suggestion}\? It has to be one of"):
        load_task(name)


def test_an_unknown_name_is_refused_with_all_names():
    with pytest.raises(UserError, match="there is no task mine; it has to be one of brats-africa"):
        load_task("mine")


def test_a_missing_file_without_a_file_name_ending_in_the_task_is_explained(tmp_path):
    task = load_task(
        str(write_changed_task(tmp_path, channels={"a": {"title": "A"}, "b": {"title": "B", "files": ["b"]}}))
    )
    message = report_missing_file("case", "a", ["case-a.nii"], task).problems[0].message
    assert "the task own defines no file name ending for it (the key `files`)" in message
    assert "the key `files`" not in report_missing_file("case", "b", [], task).problems[0].message


def test_a_file_with_an_unknown_key_is_refused(tmp_path):
    cohort = {"task": str(write_changed_task(tmp_path, colour="red")), "label_map": None}
    with pytest.raises(UserError, match=r"cohort.task: .*own.yaml: colour: there is no such key"):
        load_configured_task(cohort, SCHEMA)


def test_facts_leave_out_titles_and_colours():
    task, other = load_task("brats-africa"), load_task("brats-meningioma")
    assert task.facts() == other.facts()
    assert isinstance(task, Task)
    assert task != other


def score(label_map, predictions):
    return {"predictions": predictions, "references": None, "label_map": label_map}


def test_a_label_map_of_predictions_applies_to_all_folders_and_a_list_to_each():
    swap = {"1": 2, 2: 1, "3": 4}
    assert score_label_maps(score(swap, ["a", "b"]), load_task()) == [{1: 2, 2: 1, 3: 4}] * 2
    assert score_label_maps(score([None, swap], ["a", "b"]), load_task()) == [None, {1: 2, 2: 1, 3: 4}]
    assert score_label_maps(score(None, "a"), load_task()) == [None]


@pytest.mark.parametrize(
    ("label_map", "message"),
    [
        ([None], "score.label_map: the list has 1 entries, but score.predictions has 2 folders; write one"),
        ({1: 7}, "score.label_map: 7 is not a label of the task brats-glioma"),
        ([{1: 3}, None], "score.label_map: 3 is not a label of the task"),
        ({"ET": 4}, "score.label_map: ET is not a mask value, which is a whole number from 0 to 255"),
        ({256: 4}, "score.label_map: 256 is not a mask value"),
        ({-1: 4}, "score.label_map: -1 is not a mask value"),
    ],
)
def test_a_wrong_label_map_of_predictions_is_refused_with_its_key(label_map, message):
    with pytest.raises(UserError) as caught:
        score_label_maps(score(label_map, ["a", "b"]), load_task())
    assert message in str(caught.value)


def test_a_wrong_label_map_of_the_cohort_is_refused_with_its_key():
    with pytest.raises(UserError, match=r"cohort.label_map: ET is not a mask value"):
        load_configured_task({"task": "brats-glioma", "label_map": {"ET": 4}}, SCHEMA)


def error_message(path: Path) -> str:
    """Return the message that planning gives for a task file."""
    with pytest.raises(UserError) as error:
        load_configured_task({"task": str(path), "label_map": None}, SCHEMA)
    assert all(line.startswith("cohort.task: ") for line in str(error.value).splitlines())
    return str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("title: [", "cannot be read as YAML (while parsing a flow node"),
        ("", "has no keys"),
        ("title: a\ntitle: b\n", "title: this key is in line 1 and again in line 2"),
        (
            "labels: {yes: {title: a, meaning: other, colour: '#000000'}}",
            "labels.True: this key is not allowed",
        ),
        (
            "labels: {16: {title: a, meaning: other, colour: '#000000'}}",
            "labels.16: this key is not allowed",
        ),
        (
            "labels: {1: {title: a, meaning: fat, colour: '#000000'}}",
            "labels.1.meaning: 'fat' is not allowed",
        ),
        (
            "labels: {1: {title: a, meaning: other, colour: red}}",
            "labels.1.colour: 'red' is not allowed",
        ),
        (
            "labels: {}",
            "labels: {} is not allowed; it has to be a map of 1 to 15 keys, each with a section",
        ),
        ("channels: [t1]", 'channels: ["t1"] is not allowed; it has to be a map of 1 to 16 keys'),
        (
            "regions: {W-T: {title: a, labels: [1], removed_to: 0}}",
            "regions.W-T: this key is not allowed",
        ),
        ("regions: {WT: {title: a, labels: [1.0], removed_to: 0}}", "regions.WT.labels[0]: 1.0 is not allowed"),
        ("classes: 99", "classes: 99 is not allowed"),
        ("conventions: {other: {1: 300}}", "conventions.other.1: 300 is not allowed; it has to be a whole number"),
    ],
)
def test_a_mistake_in_a_file_is_reported_with_its_position(tmp_path, text, message):
    path = tmp_path / "own.yaml"
    path.write_text(text)
    assert f"{path}: {message}" in error_message(path) or f"{path} {message}" in error_message(path)


def test_a_folder_and_a_huge_file_are_refused(tmp_path):
    (tmp_path / "folder.yaml").mkdir()
    assert "there is no task" in error_message(tmp_path / "folder.yaml")
    with (tmp_path / "huge.yaml").open("wb") as file:
        file.truncate(10**9)
    assert "too large" in error_message(tmp_path / "huge.yaml")


def test_the_subsets_of_the_channels_are_in_the_order_of_the_network_and_the_largest_first():
    subsets = load_task().channel_subsets
    assert len(subsets) == len(set(subsets)) == 15
    assert (subsets[0], subsets[1], subsets[-1]) == (("t1", "t1ce", "t2", "flair"), ("t1", "t1ce", "t2"), ("flair",))


def test_names_that_are_no_channels_are_ignored():
    assert load_task().channels_among({"flair": 1, "seg": 2, "t1": 3}) == ("t1", "flair")


def test_only_a_task_of_whole_heads_says_so():
    task = load_task("brats-meningioma-radiotherapy")
    assert task.whole_head
    assert Task.from_json(task.to_json()) == task
    assert "whole_head" not in load_task().to_json()
    assert Task.from_json(load_task().to_json()) == load_task()
