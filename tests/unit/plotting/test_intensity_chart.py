import json
from pathlib import Path

import numpy as np
import pytest

import figure as figure_script
from tests.support.builders import write_random_case
from tumorseg.cohort.case_summary import summarise_cases
from tumorseg.cohort.manifest import build_manifest, write_manifest
from tumorseg.cohort.validation_result import ValidationResult, write_validation_results
from tumorseg.errors import UserError
from tumorseg.plotting.intensity_chart import draw_intensity_spans, spans_after, spans_before
from tumorseg.preprocessing.store import NormalisedCase, Origin, read_case, read_planes, write_case
from tumorseg.task import load_task

TASK = load_task()

NAMES = ("T1", "T1CE", "T2", "FLAIR")


def validated(case: str, median: float = 100.0, *, usable: bool = True) -> ValidationResult:
    """Return the validation result of a case; the median grows by 1 from one modality to the next."""
    intensities = {
        modality: {"min": 1.0, "p01": 10.0, "median": median + number, "p99": 900.0, "max": 1000.0}
        for number, modality in enumerate(TASK.channel_names)
    }
    files = {role: {"path": f"{case}/{role}", "sample_digest": case} for role in (*TASK.channel_names, "seg")}
    grid = {"shape": [8, 8, 8], "spacing": [1.0, 1.0, 1.0]}
    facts = {**grid, "convention": None, "tumour_crc32": 0, "intensities": intensities, "files": files}
    return ValidationResult(case, usable, (), (), facts)


def cases_of(*results: ValidationResult):
    return summarise_cases(build_manifest(results, task=TASK), results, load_task())


def write_levels(path: Path, levels: np.ndarray) -> Path:
    """Write a normalised case whose planes along the first axis have the values `levels` in all modalities."""
    image = np.broadcast_to(levels[None, :, None, None], (len(TASK.channel_names), len(levels), 2, 2)).astype(
        np.float16
    )
    affine = tuple(map(tuple, np.eye(4).tolist()))
    origin = Origin(path.stem, image.shape[1:], affine, tuple((0, side) for side in image.shape[1:]), None, {}, {})
    write_case(path, NormalisedCase(image, np.zeros(image.shape[1:], np.uint8), origin))
    return path


def spans(cases: int, *, low: float = 10.0) -> np.ndarray:
    """Return (cases, modalities, 3): medians from 100 upwards, the last case the darkest."""
    medians = 100.0 + np.arange(cases)[::-1]
    return np.stack([np.stack([np.full(cases, low), medians, medians * 2], axis=-1)] * len(TASK.channel_names), axis=1)


def medians(axes) -> list[float]:
    return next(line for line in axes.lines if line.get_marker() == "o").get_ydata().tolist()


def test_planes_equal_those_of_the_case(tmp_path):
    path = write_random_case(tmp_path / "case.safetensors")
    assert np.array_equal(read_planes(path, 5), read_case(path).image[:, [0, 5, 10, 15]])
    assert np.array_equal(read_planes(path, 6), read_case(path).image[:, [1, 7, 13]])


def test_for_a_narrow_case_the_middle_plane_is_read(tmp_path):
    path = write_levels(tmp_path / "case.safetensors", np.arange(1.0, 6.0))
    assert read_planes(path, 8)[:, :, 0, 0].tolist() == [[3]] * len(TASK.channel_names)


@pytest.mark.parametrize("content", [b"", b"no safetensors at all"])
def test_a_corrupted_file_is_reported_with_what_to_do(tmp_path, content):
    path = tmp_path / "case.safetensors"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"case.safetensors: .* corrupted .* delete its folder"):
        read_planes(path, 8)


def test_percentiles_before_are_from_the_validation_results():
    before = spans_before(cases_of(validated("a"), validated("b", 50.0)), TASK)
    assert before[:, 0].tolist() == [[10, 100, 900], [10, 50, 900]]
    assert before[1, :, 1].tolist() == [50, 51, 52, 53]


def test_unknown_intensities_are_nan():
    unknown = validated("a")
    unknown.facts["intensities"] = {"t1": {}}
    assert np.isnan(spans_before(cases_of(unknown), TASK)).all()


def test_percentiles_after_exclude_zeros(tmp_path):
    write_levels(tmp_path / "batch-1" / "a.safetensors", np.repeat([0.0, 1.0, 0.0, 2.0, 3.0], 8))
    after = spans_after(cases_of(validated("a")), [tmp_path / "batch-0", tmp_path / "batch-1"], TASK)
    assert after.shape == (1, 4, 3)
    assert after[0, 2] == pytest.approx([1, 2, 3], abs=0.1)


def test_percentiles_after_of_a_case_of_zeros_are_nan(tmp_path):
    write_levels(tmp_path / "a.safetensors", np.zeros(8))
    assert np.isnan(spans_after(cases_of(validated("a")), [tmp_path], TASK)).all()


def test_a_missing_case_is_reported(tmp_path):
    with pytest.raises(UserError, match="the normalised file is missing"):
        spans_after(cases_of(validated("a")), [tmp_path], TASK)


def test_cases_are_sorted_by_their_median_before_in_both_rows():
    after = np.stack([np.full((3, 4), -1.0), [[0.3] * 4, [0.2] * 4, [0.1] * 4], np.ones((3, 4))], axis=-1)
    figure = draw_intensity_spans(spans(3), after, TASK)
    assert [medians(axes) for axes in figure.axes] == [[100, 101, 102]] * 4 + [[0.1, 0.2, 0.3]] * 4
    assert [axes.get_title() for axes in figure.axes[:4]] == [f"{name}\nmedians 100 to 102" for name in NAMES]
    assert figure.axes[4].get_title() == "medians 0.10 to 0.30"


def test_many_cases_are_a_band_and_few_are_bars():
    for cases, kind in ((100, "LineCollection"), (101, "FillBetweenPolyCollection")):
        axes = draw_intensity_spans(spans(cases), spans(cases), TASK).axes[0]
        assert [type(collection).__name__ for collection in axes.collections] == [kind]


@pytest.mark.parametrize(("low", "scale"), [(10.0, "log"), (-5.0, "linear")])
def test_the_scale_before_is_logarithmic_if_all_values_are_positive(low, scale):
    figure = draw_intensity_spans(spans(2, low=low), spans(2), TASK)
    assert [axes.get_yscale() for axes in figure.axes] == [scale] * 4 + ["linear"] * 4


def test_the_command_line_draws_the_usable_cases(tmp_path):
    results = [validated("a"), validated("b", usable=False)]
    write_validation_results(tmp_path / "results.json", results)
    write_manifest(tmp_path / "manifest.tsv", build_manifest(results, task=TASK))
    write_random_case(tmp_path / "normalised" / "a.safetensors")
    options = ["--manifest", tmp_path / "manifest.tsv", "--validation-results", tmp_path / "results.json"]
    options += [
        "--normalised",
        tmp_path / "normalised",
        "--settings",
        json.dumps({"dpi": 30}),
        "--task",
        "brats-glioma",
    ]
    outputs = [tmp_path / "figure.png", tmp_path / "figure.pdf"]
    figure_script.main(list(map(str, ["--name", "intensities", *options, "--output", *outputs])))
    assert [output.read_bytes()[:4] for output in outputs] == [b"\x89PNG", b"%PDF"]
