"""The volumes of a new patient, as a script for a page that was opened from disk."""

import json
from dataclasses import replace

import numpy as np

from tests.unit.plotting.test_viewer_volumes import TASK, affine_of, case_of, position_mm, read
from tumorseg.plotting.viewer_volumes import MAX_CASE_BYTES, write_viewer_script

HOSTILE = "a\"];alert('b')//</script>"


def written(tmp_path, **changes):
    """Return name and content of a case in the script that was written for it."""
    write_viewer_script(tmp_path / "viewer/a.js", replace(case_of(), **changes), TASK)
    text = (tmp_path / "viewer/a.js").read_text()
    start = "(window.viewerCases ??= {})["
    assert text.startswith(start)
    assert text.endswith(";\n")
    name, end = json.JSONDecoder().raw_decode(text[len(start) :])
    rest = text[len(start) + end :]
    assert rest.startswith("] = ")
    return name, json.loads(rest.removeprefix("] = ").removesuffix(";\n"))


def test_the_script_has_all_images_and_the_mask_in_its_place(tmp_path):
    name, content = written(tmp_path, reference=None, scores=None)
    assert name == content["case"] == "a"
    assert set(content["volumes"]) == {*TASK.channel_names, "prediction"}
    mask, affine = read(content, "prediction")
    assert np.count_nonzero(mask) == 1
    np.testing.assert_allclose(position_mm(mask, affine, 2), (affine_of("LPS") @ [12, 16, 9, 1])[:3])
    assert sum(map(len, content["volumes"].values())) <= MAX_CASE_BYTES


def test_an_image_that_the_patient_lacks_is_left_out(tmp_path):
    image = case_of().image.copy()
    image[TASK.channel_names.index("t2")] = 0
    _, content = written(tmp_path, image=image)
    assert set(content["volumes"]) == {"t1", "t1ce", "flair", "prediction"}


def test_a_name_is_not_part_of_the_program(tmp_path):
    name, _ = written(tmp_path, case=HOSTILE)
    assert name == HOSTILE


def test_equal_cases_give_equal_bytes(tmp_path):
    for folder in ("a", "b"):
        write_viewer_script(tmp_path / folder / "x.js", case_of(), TASK)
    assert (tmp_path / "a/x.js").read_bytes() == (tmp_path / "b/x.js").read_bytes()
