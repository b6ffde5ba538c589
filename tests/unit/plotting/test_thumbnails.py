import io
import json

import numpy as np
import pytest
from PIL import Image

import case_strips
from tests.unit.plotting.test_figure_script import SETTINGS, write_cohort
from tumorseg.plotting.thumbnails import TILE_PIXELS, case_strip, strip_tile_names, tile_pixels_for
from tumorseg.preprocessing.store import NormalisedCase, Origin
from tumorseg.task import load_task

TASK = load_task()
TILES = strip_tile_names(TASK)
COLOURS = {1: "#ff0000", 2: "#00ff00", 4: "#0000ff"}
SHAPE = (20, 20, 4)


def case_of(*, spacing=(1.0, 1.0, 1.0), reference=True):
    """Return a case with oedema in the back half of slice 1, and a prediction of core in the front half of slice 2."""
    affine = np.diag([-spacing[0], -spacing[1], spacing[2], 1.0])
    origin = Origin("a", SHAPE, tuple(map(tuple, affine.tolist())), tuple((0, n) for n in SHAPE), None, {}, {})
    image = np.linspace(1, 2, 4 * 20 * 20 * 4).reshape(4, *SHAPE).astype(np.float16)
    mask, prediction = np.zeros((2, *SHAPE), np.uint8)
    mask[:, 10:, 1] = 2 * reference
    prediction[:, :10, 2], prediction[:, :10, 1] = 1, 1
    prediction[0, 0, 1] = 0
    return NormalisedCase(image, mask, origin), prediction


def tiles(content):
    with Image.open(io.BytesIO(content)) as image:
        pixels = np.asarray(image.convert("RGB")).astype(int)
    assert pixels.shape == (TILE_PIXELS, TILE_PIXELS * len(TILES), 3)
    return dict(zip(TILES, np.split(pixels, len(TILES), axis=1), strict=True))


def redness(tile):
    """Return red minus green in the front and in the back half, away from edges, where lossy colours bleed."""
    inner = (tile[..., 0] - tile[..., 1])[:, 8:-8]
    return round(inner[12:36].mean()), round(inner[60:84].mean())


def test_masks_are_painted_in_their_colours_and_places():
    found = {name: redness(tile) for name, tile in tiles(case_strip(*case_of(), COLOURS, task=TASK)).items()}
    assert max(map(abs, (*found["T1CE"], *found["FLAIR"], found["reference"][0], found["prediction"][1]))) < 20
    assert found["reference"][1] < -80
    assert found["prediction"][0] > 80
    assert found["comparison"][0] > 20  # false tumour is orange
    assert abs(found["comparison"][1]) < 20  # missed tumour is white


def test_masks_lie_over_an_image_that_the_case_has():
    case, prediction = case_of()
    case.image[TASK.main_channels[-1]] = 0
    found = tiles(case_strip(case, np.zeros_like(prediction), COLOURS, task=TASK))
    brain = slice(24, 72)  # away from edges, where lossy colours bleed
    assert [np.ptp(found[name][brain, brain].mean(axis=2)) > 20 for name in ("T1CE", "FLAIR", "prediction")] == [
        True,
        False,
        True,
    ]


def test_the_prediction_selects_the_slice_if_the_reference_is_empty():
    case, prediction = case_of(reference=False)
    prediction[:, :, 2] = 1
    found = tiles(case_strip(case, prediction, COLOURS, task=TASK))
    assert min(redness(found["prediction"])) > 80


def test_the_slice_with_most_errors_is_shown():
    case, _ = case_of()
    prediction = case.mask.copy()
    prediction[:, :, 3] = 1
    found = tiles(case_strip(case, prediction, COLOURS, task=TASK))
    assert min(redness(found["prediction"])) > 80
    assert max(map(abs, redness(found["reference"]))) < 20


def test_a_slice_keeps_its_proportions():
    found = tiles(case_strip(*case_of(spacing=(1.0, 0.5, 1.0)), COLOURS, task=TASK))
    rows = (found["FLAIR"].max(axis=(1, 2)) > 15).sum()
    assert rows == pytest.approx(TILE_PIXELS / 2, abs=2)


def test_equal_cases_give_equal_bytes():
    assert case_strip(*case_of(), COLOURS, task=TASK) == case_strip(*case_of(), COLOURS, task=TASK)


def run(folder):
    arguments = ["--normalised", *map(str, sorted((folder / "normalised").iterdir()))]
    arguments += ["--predictions", str(folder / "predictions/fold-0"), "--scores", str(folder / "cases.csv")]
    settings = json.dumps({"colours": SETTINGS["colours"]})
    case_strips.main([*arguments, "--settings", settings, "--task", "brats-glioma", "--output", str(folder / "cases")])


def test_every_scored_case_and_no_other_has_a_strip(tmp_path):
    write_cohort(tmp_path, (20, 26, 18), [0.0, 0.1])
    (tmp_path / "cases").mkdir()
    (tmp_path / "cases/stale.webp").touch()
    run(tmp_path)
    names = [f"BraTS-GLI-{number:05d}-000.webp" for number in (0, 1)]
    assert sorted(path.name for path in (tmp_path / "cases").iterdir()) == names


def test_a_missing_prediction_is_reported(tmp_path, capsys):
    write_cohort(tmp_path, (20, 26, 18), [0.0])
    next((tmp_path / "predictions/fold-0").iterdir()).unlink()
    with pytest.raises(SystemExit):
        run(tmp_path)
    assert "there is no prediction" in capsys.readouterr().err


def test_strips_of_a_whole_cohort_fit_a_page():
    case, prediction = case_of()
    with Image.open(
        io.BytesIO(case_strip(case, prediction, COLOURS, task=TASK, tile_pixels=tile_pixels_for(1251)))
    ) as image:
        assert image.size == (64 * len(TILES), 64)
    assert tile_pixels_for(250) == TILE_PIXELS
