import base64
import io
import json
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

import cohort_page
import manifest
from tests.support.case_files import path_of, write_valid_case
from tests.unit.cohort.test_overview import TASK, overview_of, unread, validated
from tests.unit.reporting.report.test_report_html import Outline
from tumorseg.cohort.case_summary import summarise_cases
from tumorseg.cohort.case_validation import validate_case
from tumorseg.cohort.discovery import discover_cases
from tumorseg.cohort.manifest import build_manifest
from tumorseg.cohort.overview import summarise_cohort
from tumorseg.cohort.preview import write_previews
from tumorseg.cohort.validation_result import Issue, write_validation_results
from tumorseg.plotting.thumbnails import preview_data_url, preview_tile_names
from tumorseg.reporting.cohort_page.cohort_html import render_cohort_page
from tumorseg.task import load_task

COLOURS = {1: "#D55E00", 2: "#56B4E9", 4: "#F0E442"}
HOSTILE = "<script>alert('&')</script>"
SECTIONS = ("problems", "warnings", "dropped", "grids", "volumes", "intensities", "outliers", "marks", "cases")


def picture(seed=0, shape=(57, 47)):
    """Return a preview with smooth grey, noise and three labels that compresses about as well as a real one."""
    rng = np.random.default_rng(seed)
    rough = np.kron(rng.integers(30, 220, (4, 8, 8)), np.ones((1, 8, 8)))[:, : shape[0], : shape[1]]
    preview = np.zeros((5, *shape), np.uint8)
    preview[:4] = np.clip(rough + rng.normal(0, 12, rough.shape), 0, 255)
    preview[4, 10:26, 10:26], preview[4, 26:40, 10:26], preview[4, 26:40, 26:40] = 1, 2, 4
    return preview


@pytest.fixture
def page():
    overview = overview_of(
        validated("a", warnings=[Issue("negative_intensities", "a/t1.nii", "down to -3")]),
        validated("b", shape=[64, 64, 64], spacing=[2.0, 2.0, 2.5], convention="brats2023"),
        validated("c"),
        unread(f"d{HOSTILE}", message=HOSTILE),
    )
    strips = {case: preview_data_url(picture(), COLOURS, TASK) for case in ("a", f"d{HOSTILE}")}
    return render_cohort_page(overview, strips, COLOURS, TASK, 192)


@pytest.mark.parametrize("shape", [(57, 47), (30, 64), (1, 3), (9, 9)])
def test_a_strip_has_five_tiles_and_visible_colours(shape):
    preview = np.zeros((5, *shape), np.uint8)
    preview[:4], preview[4] = 100, 2
    kind, content = preview_data_url(preview, COLOURS, TASK).split(",")
    strip = Image.open(io.BytesIO(base64.b64decode(content)))
    assert (kind, strip.format, strip.size) == ("data:image/webp;base64", "WEBP", (960, 192))
    assert strip.getpixel((96, 96)) == pytest.approx((100, 100, 100), abs=6)
    red, green, blue = strip.getpixel((4 * 192 + 96, 96))
    assert red + 30 < green < blue - 20


def test_labels_keep_their_colours_where_they_meet():
    strip = Image.open(io.BytesIO(base64.b64decode(preview_data_url(picture(), COLOURS, TASK).split(",")[1]))).convert(
        "RGB"
    )
    left, scale = 4 * 192 + 15, 192 / 57
    core, oedema, enhancing = (
        strip.getpixel((left + round(x * scale), round(y * scale))) for y, x in ((18, 18), (33, 18), (33, 33))
    )
    assert core[0] > core[2] + 60
    assert oedema[2] > oedema[0] + 30
    assert min(enhancing[:2]) > enhancing[2] + 40


def test_every_section_exists_and_every_link_has_a_target(page):
    outline = Outline(page)
    ids = [attributes["id"] for _, attributes in outline.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert [found for found in ids if found in SECTIONS] == list(SECTIONS)
    assert {attributes["href"][1:] for attributes in outline.all("a") if "?from=" not in attributes["href"]} <= set(ids)
    assert {"case-1", "case-2", "case-3", "case-4"} <= set(ids)


def test_the_page_is_self_contained(page):
    outline = Outline(page)
    for attributes in outline.all("img", "link", "a"):
        address = attributes.get("src") or attributes.get("href")
        assert address.startswith(("data:", "#")) or address.endswith("?from=cohort")
    assert [attributes.get("type") for attributes in outline.all("script")] == [None, "application/json", None]
    assert "@import" not in page
    assert page.count("url(") == page.count("url(${image.src})") == 1  # a thumbnail of the page


def test_names_and_messages_are_never_markup(page):
    assert HOSTILE not in page
    assert page.count("<script>") == 2
    assert "d&lt;script&gt;alert(&#39;&amp;&#39;)&lt;/script&gt;" in page


def test_the_page_is_accessible(page):
    outline = Outline(page)
    levels = [int(tag[1]) for tag, _ in outline.tags if tag in {"h1", "h2", "h3", "h4"}]
    assert (levels[0], levels.count(1)) == (1, 1)
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))
    assert all(attributes.get("scope") in {"col", "row"} for attributes in outline.all("th"))
    assert all(attributes["alt"] and attributes["loading"] == "lazy" for attributes in outline.all("img"))
    assert {(image["width"], image["height"]) for image in outline.all("img")} == {("960", "192")}
    assert len(outline.all("caption")) == len(outline.all("table")) == 7


def test_marks_start_with_the_excluded_cases():
    results = [validated("a"), validated("b")]
    table = build_manifest(results, task=TASK, exclusions={"b": "moved </script>"})
    page = render_cohort_page(summarise_cohort(summarise_cases(table, results, TASK), TASK), {}, COLOURS, TASK, 192)
    assert '"excluded": [["b", "moved \\u003c/script>"]]' in page
    assert "1 case excluded by the list in <code>cohort.exclude</code>." in page
    assert [attributes.get("class") for attributes in Outline(page).all("td") if "mark" in str(attributes)] == [
        "mark"
    ] * 2


def test_a_long_table_shows_its_first_rows(page):
    overview = overview_of(*(validated(f"{number:03d}") for number in range(120)))
    rows = Outline(render_cohort_page(overview, {}, COLOURS, TASK, 192)).all("tr")
    assert sum(row.get("class") == "later" for row in rows) == 20
    assert not any(row.get("class") == "later" for row in Outline(page).all("tr"))


def test_outliers_are_explained():
    medians = [500.0 + number % 5 for number in range(11)] + [5000.0]
    overview = overview_of(*(validated(f"{number:02d}", median=median) for number, median in enumerate(medians)))
    page = " ".join(render_cohort_page(overview, {}, COLOURS, TASK, 192).split())
    assert "FLAIR: median: 5,000, above the median of 502 (z = +" in page


def test_a_cohort_without_usable_cases_has_a_page():
    page = render_cohort_page(overview_of(unread("a")), {}, COLOURS, TASK, 192)
    Outline(page)
    assert "No case is usable." in page
    assert "No image could be displayed." in page
    assert 'class="sortable"' not in page


def test_a_cohort_without_problems_has_a_page():
    page = render_cohort_page(overview_of(validated("a")), {}, COLOURS, TASK, 192)
    Outline(page)
    assert "No case was dropped." in page
    assert "All usable cases have the same grid." in page


def test_a_warning_of_all_usable_cases_stands_once():
    spacing = Issue("non_unit_spacing", "x/t1.nii", "voxels are 2.5 mm")
    overview = overview_of(
        validated("a", warnings=[spacing, Issue("negative_intensities", "a/t1.nii", "down to -3")]),
        validated("b", warnings=[spacing]),
    )
    page = render_cohort_page(overview, {}, COLOURS, TASK, 192)
    assert "All usable cases have the warning <code>non_unit_spacing</code>: voxels are 2.5 mm." in page
    cases = page[page.index('id="usable-cases"') :]
    assert "<code>negative_intensities</code>" in cases
    assert "non_unit_spacing" not in cases


def test_the_page_of_a_large_cohort_is_small_and_reproducible():
    warning = [Issue("no_enhancing_tumour", "x/seg.nii.gz", "the mask shows no enhancing tumour; that may be right")]
    names = [f"BraTS2021_{number:05d}" for number in range(1253)]
    results = [
        validated(name, warnings=warning if number % 10 == 0 else (), label_2=20000 + 37 * number)
        if number % 40
        else unread(name)
        for number, name in enumerate(names)
    ]
    urls = [preview_data_url(picture(seed), COLOURS, TASK, 96) for seed in range(10)]
    assert np.mean([len(url) for url in urls]) > 4500  # like those of real cases
    strips = {name: urls[number % 10] for number, name in enumerate(names)}
    page = render_cohort_page(overview_of(*results), strips, COLOURS, TASK, 96)
    assert len(page.encode()) < 12e6
    assert render_cohort_page(overview_of(*reversed(results)), strips, COLOURS, TASK, 96) == page


def test_the_script_writes_the_page_from_files(tmp_path, capsys):
    for seed, case in enumerate(("one", "two")):
        write_valid_case(tmp_path / "data", case, seed=seed)
    path_of(tmp_path / "data", "t1", "two").write_bytes(b"")
    found = [
        validate_case(tmp_path / "data", files, task=TASK, shape=None, labels="auto")
        for files in discover_cases(tmp_path / "data", TASK)
    ]
    results, previews, table = tmp_path / "v.json", tmp_path / "p.safetensors", tmp_path / "m.tsv"
    write_validation_results(results, [result for result, _ in found])
    write_previews(previews, {result.case: preview for result, preview in found})
    manifest.main(["--task", TASK.name, "--validation-results", str(results), "--output", str(table)])
    settings = json.dumps({"colours": {f"label_{label}": colour for label, colour in COLOURS.items()}})
    arguments = ["--manifest", table, "--validation-results", results, "--previews", previews, "--settings", settings]
    arguments += ["--task", "brats-glioma"]
    for name in ("1.html", "2.html"):
        cohort_page.main([str(argument) for argument in (*arguments, "--output", tmp_path / name)])
    assert "1 of 2 cases is usable: see" in capsys.readouterr().err
    page = (tmp_path / "1.html").read_text()
    assert page == (tmp_path / "2.html").read_text()
    assert str(tmp_path) not in page
    assert "two-t1n.nii.gz: the file is empty" in page
    assert len(Outline(page).all("img")) == 2


@pytest.mark.parametrize(("name", "tiles"), [("brats-meningioma-radiotherapy", 2), ("decathlon-brain-tumour", 5)])
def test_a_strip_has_a_tile_for_each_image_of_the_task_and_one_for_the_mask(name, tiles):
    task = load_task(name)
    preview = np.zeros((tiles, 57, 47), np.uint8)
    preview[0], preview[-1] = 200, 1  # both tasks show masks over their first channel
    strip = Image.open(io.BytesIO(base64.b64decode(preview_data_url(preview, {1: "#0000ff"}, task).split(",")[1])))
    assert strip.size == (192 * tiles, 192)
    assert len(preview_tile_names(task)) == tiles
    red, _, blue = strip.convert("RGB").getpixel((192 * (tiles - 1) + 96, 96))
    assert red == pytest.approx(70, abs=8)
    assert blue == pytest.approx(236, abs=8)


def test_the_page_names_its_task_and_the_label_map():
    task = load_task("brats-glioma-post-treatment").with_label_map({1: 2, 2: 1, 3: 3, 9: 0})
    page = render_cohort_page(
        overview_of(validated("a", label_3=0, convention="label_map"), task=task), {}, {}, task, 192
    )
    assert "BraTS glioma after treatment (2024, 2025) (<code>brats-glioma-post-treatment</code>)" in page
    assert "1 as 2 (surrounding FLAIR hyperintensity), 2 as 1 (non-enhancing tumour core)" in page
    assert "9 as background" in page
    assert "Label 4: resection cavity" in page
    assert "Label convention of the masks" not in page
