"""Cases assembled at random from odd files: each is validated, shown and, if usable, normalised."""

import json
from dataclasses import asdict

import nibabel
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.builders import hypothesis_settings
from tests.support.case_files import CASE, SUFFIXES, TASK, path_of
from tumorseg.cohort.case_validation import validate_case
from tumorseg.cohort.discovery import discover_cases
from tumorseg.cohort.preview import write_previews
from tumorseg.cohort.validation_result import read_validation_results, write_validation_results
from tumorseg.preprocessing.crop import uncrop
from tumorseg.preprocessing.normalisation import normalise_validated_case

SHAPES = [(10, 11, 12), (16, 16, 16), (9, 32, 8), (12, 5, 40), (3, 3, 3), (64, 32, 16)]
AFFINES = [np.eye(4)[:, [*order, 3]] for order in ((0, 1, 2), (0, 2, 1), (2, 1, 0), (1, 2, 0))]
KINDS = [np.int16, np.uint8, np.uint16, np.float32, np.float64, np.int32, ">i2", ">f4", np.int64, np.uint64, np.int8]
MAPPED = TASK.with_label_map({1: 1, 2: 2, 3: 4, 4: 4})  # with a label map, no sign of another task is looked for
SETTINGS = {"clip_percentiles": [0.5, 99.5], "margin_voxels": 2}


@st.composite
def odd_file(draw, role, shape, affine):
    """Draw a volume that mostly fits the case, and sometimes does not."""
    rng = np.random.default_rng(draw(st.integers(0, 30)))
    box = [(draw(st.integers(0, side // 2)), draw(st.integers(side // 2 + 1, side))) for side in shape]
    inside = tuple(slice(start, stop) for start, stop in box)
    volume = np.zeros(shape)
    if role == "seg":
        labels = draw(st.sampled_from([*4 * [[1, 2, 3]], [1, 2], [4], [0, 1, 2, 4], [0, 3], [1, 5], [0]]))
        volume[inside] = rng.choice(labels, volume[inside].shape)
    else:
        low, high = draw(st.sampled_from([*9 * [(1, 100)], (0, 2), (-5, 6), (7, 8)]))
        volume[inside] = rng.integers(low, high, volume[inside].shape)
        volume *= draw(st.sampled_from([*30 * [1], 1e-3, 1e30, 1e200, 1e-200]))
    kind = draw(st.sampled_from([np.uint8, np.int16, np.float32] if role == "seg" else KINDS))
    with np.errstate(all="ignore"):
        made = nibabel.Nifti1Image(volume.astype(kind), affine, dtype=kind)
    slope = draw(st.sampled_from([None, None, None, (0.5, 0), (-2, 7), (1, 1e-3)]))
    if slope and role != "seg":
        made.header.set_slope_inter(*slope)
    return made.to_bytes()


def process_many(root, examples):
    """Assemble and process many cases; return whether each was usable."""
    path_of(root, "t1").parent.mkdir(parents=True)
    usable = []

    @hypothesis_settings(examples)
    @given(st.data())
    def assemble_and_process(data):
        shape, affine = data.draw(st.sampled_from(SHAPES)), data.draw(st.sampled_from(AFFINES))
        other = data.draw(st.sampled_from([*5 * [None], *SUFFIXES]))
        task = data.draw(st.sampled_from([TASK, MAPPED]))
        for role in SUFFIXES:
            its_shape = data.draw(st.sampled_from([shape, shape[::-1], *SHAPES])) if role == other else shape
            its_affine = data.draw(st.sampled_from(AFFINES)) if role == other else affine
            path_of(root, role).write_bytes(data.draw(odd_file(role, its_shape, its_affine)))
        (case,) = discover_cases(root, task)
        result, preview = validate_case(root, case, task=task, shape=None, labels="auto")
        json.dumps(asdict(result), allow_nan=False)
        write_validation_results(root / "results.json", [result])
        assert read_validation_results(root / "results.json")[0].facts == json.loads(json.dumps(result.facts))
        write_previews(root / "previews", {} if preview is None else {CASE: preview})
        usable.append(result.usable)
        if result.usable:
            normalised = normalise_validated_case(root, result, SETTINGS, task=task)
            assert np.isfinite(normalised.image).all()
            assert uncrop(normalised.mask, normalised.origin).shape == tuple(result.facts["shape"])

    with np.errstate(over="raise", invalid="raise", divide="raise"):
        assemble_and_process()
    return usable


@pytest.mark.parametrize("examples", [200, pytest.param(2000, marks=pytest.mark.release)])
def test_an_odd_case_is_validated_shown_and_normalised_without_error(tmp_path, examples):
    usable = process_many(tmp_path, examples)
    assert len(usable) >= examples
    assert 0.05 < np.mean(usable) < 0.95
