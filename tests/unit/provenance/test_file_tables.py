from hashlib import sha256

import pandas as pd
import pytest
from xxhash import xxh3_128_hexdigest

from tests.support.case_files import CASE, path_of, validated, write_valid_case
from tumorseg.errors import UserError
from tumorseg.provenance.file_tables import mask_table, raw_file_table, task_file_text
from tumorseg.task import TASKS_FOLDER, load_task


def test_corrupted_and_unused_files_have_digests(tmp_path):
    root = write_valid_case(tmp_path)
    corrupted, copy, empty = path_of(root, "t2"), path_of(root, "t1").with_suffix(""), path_of(root, "flair")
    corrupted.write_bytes(corrupted.read_bytes()[:-9])
    copy.write_bytes(path_of(root, "t1").read_bytes())
    empty.write_bytes(b"")
    table = raw_file_table([validated(root)]).set_index("path")
    assert set(table.index) == {str(path.relative_to(root)) for path in (root / CASE).iterdir()}
    for path, row in table.iterrows():
        content = (root / path).read_bytes()
        assert (row["bytes"], row["xxh3_128"]) == (len(content), xxh3_128_hexdigest(content))


def test_an_unreadable_file_has_no_size_and_no_digest(tmp_path):
    root = write_valid_case(tmp_path)
    path_of(root, "t2").unlink()
    path_of(root, "t2").symlink_to("nowhere")
    row = raw_file_table([validated(root)]).set_index("role").loc["t2"]
    assert row[["bytes", "xxh3_128"]].isna().all()


def test_a_file_that_is_too_large_to_be_read_has_a_size_and_no_digest(tmp_path):
    root = write_valid_case(tmp_path)
    with path_of(root, "t2").open("r+b") as file:
        file.truncate(2**30)  # a sparse file needs no space
    row = raw_file_table([validated(root)]).set_index("role").loc["t2"]
    assert row["bytes"] == 2**30
    assert pd.isna(row["xxh3_128"])


def test_masks_of_the_folders_are_listed_without_probabilities(tmp_path):
    for name in ("fold-0/a.nii.gz", "fold-0/a-probabilities.nii.gz", "fold-1/b.nii.gz", "fold-2/c.nii.gz"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    table = mask_table([tmp_path / "fold-0", tmp_path / "fold-1"], tmp_path)
    assert isinstance(table, pd.DataFrame)
    assert table["path"].tolist() == ["fold-0/a.nii.gz", "fold-1/b.nii.gz"]
    assert table["sha256"].tolist() == [sha256(name.encode()).hexdigest() for name in table["path"]]


def test_the_task_file_is_copied_unchanged(tmp_path):
    own = tmp_path / "own.yaml"
    own.write_text((TASKS_FOLDER / "brats-africa.yaml").read_text() + "# mine\n")
    task = load_task(str(own)).with_label_map({1: 2, 2: 1, 3: 3})
    assert task_file_text(str(own), task) == own.read_text()


def test_a_task_that_was_changed_during_the_run_is_refused(tmp_path):
    own = tmp_path / "own.yaml"
    own.write_text((TASKS_FOLDER / "brats-africa.yaml").read_text())
    task = load_task(str(own))
    own.write_text(own.read_text().replace("removed_to: 2", "removed_to: 0"))
    with pytest.raises(UserError, match=r"own\.yaml was changed while the workflow was running"):
        task_file_text(str(own), task)
