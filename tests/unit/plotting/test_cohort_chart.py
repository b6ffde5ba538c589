import json

import numpy as np
import pytest
from matplotlib.colors import to_rgba

import figure
from tumorseg.cohort.case_summary import summarise_cases
from tumorseg.cohort.manifest import build_manifest, write_manifest
from tumorseg.cohort.overview import summarise_cohort
from tumorseg.cohort.validation_result import Issue, ValidationResult, write_validation_results
from tumorseg.plotting.catalogue.cohort_overview import RECORD
from tumorseg.plotting.cohort_chart import cohort_overview
from tumorseg.task import load_task

TASK = load_task()

COLOURS = {1: "#d55e00", 2: "#56b4e9", 4: "#f0e442"}


def validated(case: str, *codes: str, voxels=(1000, 20000, 3000), spacing: float = 1.0) -> ValidationResult:
    """The validation result of a case with these problems, and these numbers of voxels of labels 1, 2 and 4."""
    problems = tuple(Issue(code, f"{case}/t1.nii", "…") for code in codes)
    facts = {
        "shape": [240, 240, 155],
        "spacing": [spacing] * 3,
        "convention": "brats2021",
        **dict(zip(("label_1", "label_2", "label_4"), voxels, strict=True)),
        "tumour_crc32": 0,
        "files": {role: {"path": f"{case}/{role}", "sample_digest": case} for role in (*TASK.channel_names, "seg")},
    }
    return ValidationResult(case, not problems, problems, (), facts)


def charts(*results: ValidationResult):
    """Return the axes of the cases and of the volumes."""
    return cohort_overview(
        summarise_cohort(summarise_cases(build_manifest(results, task=TASK), results, TASK), TASK), COLOURS
    ).axes


def bars(axes) -> dict[str, float]:
    names = [text.get_text() for text in axes.get_yticklabels()]
    return dict(zip(names, (patch.get_width() for patch in axes.patches), strict=True))


def boxes(axes) -> list:
    return [patch for patch in axes.patches if patch.get_facecolor()[:3] != (1, 1, 1)]


def points(axes) -> list[list[float]]:
    """Return the volumes that are drawn as points, from the top row to the bottom one."""
    return [sorted(line.get_xdata()) for line in axes.lines if line.get_marker() == "o"]


def test_bars_count_usable_and_dropped_cases_and_each_problem():
    upper, _ = charts(
        validated("a"), validated("b"), validated("c", "truncated"), validated("d", "truncated", "bad_label")
    )
    assert bars(upper) == {"usable": 2, "dropped": 2, "truncated": 2, "bad label": 1}
    assert upper.get_title() == "2 of 4 cases usable"
    assert upper.yaxis_inverted()
    assert [text.get_text() for text in upper.texts] == ["2", "2", "2", "1"]


@pytest.mark.parametrize(
    ("codes", "label"),
    [(["truncated"], "cases"), (["truncated", "bad_label"], "cases; a case with several problems counts for each")],
)
def test_the_axis_says_if_a_case_counts_more_than_once(codes, label):
    upper, _ = charts(validated("a"), validated("b", *codes))
    assert upper.get_xlabel() == label


def test_without_problems_no_case_is_dropped():
    upper, _ = charts(validated("a"))
    assert bars(upper) == {"usable": 1, "dropped": 0}


def test_volumes_of_the_usable_cases_are_points_in_ml():
    _, lower = charts(validated("a"), validated("b", voxels=(1000, 1000, 0), spacing=2.0), validated("c", "truncated"))
    assert points(lower) == [pytest.approx([1, 8]), pytest.approx([8, 20]), pytest.approx([3]), pytest.approx([16, 24])]
    assert [text.get_text().split("\n")[-1] for text in lower.get_yticklabels()] == [
        "in 2 of 2 cases",
        "in 2 of 2 cases",
        "in 1 of 2 cases",
        "in 2 of 2 cases",
    ]


def test_the_boxes_have_the_colours_of_the_labels():
    _, lower = charts(*(validated(f"{case:03}") for case in range(10)))
    assert [box.get_facecolor() for box in boxes(lower)[:3]] == [to_rgba(colour) for colour in COLOURS.values()]


def test_few_cases_are_points_in_the_colours_of_the_labels():
    _, lower = charts(*(validated(f"{case:03}") for case in range(9)))
    assert not boxes(lower)
    assert [line.get_markerfacecolor() for line in lower.lines[:3]] == list(COLOURS.values())


@pytest.mark.parametrize("cases", [10, 30, 150])
def test_boxes_and_whiskers_are_the_percentiles_of_the_caption(cases):
    voxels = np.random.default_rng(cases).integers(100, 90_000, (cases, 3))
    _, lower = charts(*(validated(f"{case:03}", voxels=tuple(map(int, row))) for case, row in enumerate(voxels)))
    expected = np.percentile(voxels[:, 0] / 1000, (5, 25, 50, 75, 95))
    lines = [line for line in lower.lines if line.get_marker() != "o"][:5]  # of label 1: whiskers, caps, median
    ends = [sorted(set(line.get_xdata())) for line in lines]
    assert ends[0] == pytest.approx([expected[0], expected[1]])
    assert ends[1] == pytest.approx([expected[3], expected[4]])
    assert sorted(x for line in ends[2:] for x in line) == pytest.approx([expected[0], expected[2], expected[4]])
    box = boxes(lower)[0].get_path().vertices[:, 0]
    assert [box.min(), box.max()] == pytest.approx([expected[1], expected[3]])
    assert "whiskers the 5th and 95th percentiles" in RECORD.caption


def test_a_label_that_no_case_has_leaves_its_row_empty():
    _, lower = charts(validated("a", voxels=(1000, 1000, 0)))
    assert len(points(lower)) == 3
    assert lower.get_yticklabels()[2].get_text().endswith("in 0 of 1 case")


def test_for_many_cases_the_distribution_is_drawn():
    _, lower = charts(*(validated(f"{case:03}", voxels=(1000 + case, 2000, 3000)) for case in range(120)))
    assert not points(lower)
    labels = [patch for patch in lower.patches if hasattr(patch, "get_data")]
    assert len(labels) == 4


def test_without_usable_cases_the_volume_plot_says_so():
    _, lower = charts(validated("a", "truncated"))
    assert [text.get_text() for text in lower.texts] == ["no usable case with a known volume"]


def test_the_command_line_reads_what_the_workflow_writes(tmp_path):
    results = [validated("a"), validated("b", "truncated")]
    write_validation_results(tmp_path / "results.json", results)
    write_manifest(tmp_path / "manifest.tsv", build_manifest(results, task=TASK))
    settings = {"dpi": 30, "colours": {f"label_{label}": colour for label, colour in COLOURS.items()}}
    options = ["--manifest", str(tmp_path / "manifest.tsv"), "--validation-results", str(tmp_path / "results.json")]
    options += ["--task", "brats-glioma", "--settings", json.dumps(settings)]
    outputs = [tmp_path / "figure.png", tmp_path / "figure.pdf"]
    figure.main(["--name", "cohort_overview", *options, "--output", *map(str, outputs)])
    assert [output.read_bytes()[:4] for output in outputs] == [b"\x89PNG", b"%PDF"]
