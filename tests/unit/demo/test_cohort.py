import gzip
import json
import zlib

import nibabel
import numpy as np
import pytest

import demo_cohort
from tumorseg.demo.plan import plan_cases
from tumorseg.task import load_task

TASK = load_task()
SETTINGS = {"cases": 6, "spacing_mm": 6, "seed": 3}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return write_demo(tmp_path_factory.mktemp("demo"))


def write_demo(folder, task="brats-glioma", **changes):
    demo_cohort.main(["--settings", json.dumps({**SETTINGS, **changes}), "--task", task, "--root", str(folder)])
    return folder


def contents(root):
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def load_image(root, case, role):
    return nibabel.load(root / case.files[role])


def test_the_planned_files_are_written_and_no_others(root):
    assert set(contents(root)) == {path for case in plan_cases(SETTINGS, TASK) for path in case.files.values()}


def test_equal_settings_give_equal_bytes(root, tmp_path):
    assert contents(write_demo(tmp_path)) == contents(root)


def test_another_seed_gives_other_images(root, tmp_path):
    other = contents(write_demo(tmp_path, seed=4))
    assert all(content != other[path] for path, content in contents(root).items())


def test_images_are_int16_on_one_grid_with_zero_background(root):
    case = plan_cases(SETTINGS, TASK)[0]
    images = [load_image(root, case, role) for role in ("t1", "t1ce", "t2", "flair")]
    voxels = np.stack([np.asanyarray(image.dataobj) for image in images])
    assert voxels.dtype == np.int16
    assert voxels.min() == 0
    assert ((voxels > 0).all(axis=0) == (voxels > 0).any(axis=0)).all()
    assert 0.2 < (voxels[0] > 0).mean() < 0.6


def test_spacing_is_in_millimetres(root):
    mask = load_image(root, plan_cases(SETTINGS, TASK)[0], "seg")
    assert mask.header.get_zooms() == (6, 6, 6)
    assert mask.header.get_xyzt_units()[0] == "mm"
    assert nibabel.aff2axcodes(mask.affine) == ("L", "P", "S")
    np.testing.assert_array_equal(mask.get_qform(), mask.get_sform())


def test_masks_are_written_as_brats_2023_does(root):
    mask = np.asanyarray(load_image(root, plan_cases(SETTINGS, TASK)[0], "seg").dataobj)
    assert mask.dtype == np.uint8
    assert set(np.unique(mask)) == {0, 1, 2, 3}


def test_time_points_share_anatomy_but_not_acquisition(root):
    first, second, other_patient = (
        np.asanyarray(load_image(root, case, "t1").dataobj) for case in plan_cases(SETTINGS, TASK)[:3]
    )
    np.testing.assert_array_equal(first > 0, second > 0)
    assert (first != second).any()
    assert ((first > 0) != (other_patient > 0)).any()


def test_white_matter_is_bright_on_t1_and_fluid_on_t2(root):
    case = plan_cases(SETTINGS, TASK)[0]
    t1, t2 = (np.asanyarray(load_image(root, case, role).dataobj).astype(float) for role in ("t1", "t2"))
    brain = t1 > 0
    assert np.corrcoef(t1[brain], t2[brain])[0, 1] < -0.3


def test_only_the_truncated_file_of_a_case_is_incomplete(root):
    case = plan_cases(SETTINGS, TASK)[3]
    with pytest.raises((EOFError, zlib.error)):
        gzip.decompress((root / case.files["flair"]).read_bytes())
    for role in case.files.keys() - {"flair"}:
        gzip.decompress((root / case.files[role]).read_bytes())


def test_one_mask_has_another_shape_and_all_other_files_share_a_grid(root):
    cases = plan_cases(SETTINGS, TASK)
    shapes = {
        (case.case, role): load_image(root, case, role).shape
        for case in cases
        for role in case.files
        if role != "flair"
    }
    usual = shapes[cases[0].case, "t1"]
    odd = {key: shape for key, shape in shapes.items() if shape != usual}
    assert odd == {(cases[5].case, "seg"): (usual[0], usual[1], usual[2] - 1)}
