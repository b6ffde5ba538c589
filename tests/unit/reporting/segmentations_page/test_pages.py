"""The pages of new patients, as an HTML parser reads them."""

from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest

from tests.support.builders import TASK
from tests.support.patient_pages import COLOURS, HOSTILE, METHOD, PATIENTS, RECORDS, RUN, write_files
from tests.unit.reporting.report.test_report_html import Outline
from tumorseg.clinical.measures import diameter_measures, measure_mask
from tumorseg.reporting.segmentations_page.pages import write_pages
from tumorseg.reporting.viewer.embed import niivue_script

NOTICE = "Research use only, not for clinical decisions."


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    made = tmp_path_factory.mktemp("segmentations")
    write_files(made, PATIENTS)
    write_pages(made, PATIENTS, RECORDS, METHOD, RUN, task=TASK, colours=COLOURS)
    return made


@pytest.fixture(scope="module")
def overview(folder) -> str:
    return (folder / "segmentations.html").read_text()


def page_of(folder: Path, case: str) -> str:
    return (folder / f"{case}.html").read_text()


def test_there_is_a_page_of_all_patients_and_one_for_each(folder):
    pages = {path.name for path in folder.glob("*.html")}
    assert pages == {"segmentations.html", *(f"{patient.case}.html" for patient in PATIENTS)}
    assert (folder / "viewer/niivue.js").read_text() == niivue_script()


def test_the_page_of_all_patients_links_only_to_files_in_its_folder(folder, overview):
    outline = Outline(overview)
    links = [tag["href"] for tag in outline.all("a")] + [tag["src"] for tag in outline.all("img")]
    links += [tag["data-script"] for tag in outline.all("option") if "data-script" in tag]
    files = {link for link in links if not link.startswith("#")}
    assert len(files) == 4 + 3 * 3  # the page of each patient; mask, picture and volumes of the segmented ones
    assert {"a.nii.gz", "failed.html", "viewer/a.js"} <= files
    missing = [name for name in map(unquote, files) if not (folder / name).exists() and not name.endswith(".nii.gz")]
    assert missing == []


def test_files_that_not_every_patient_has_are_linked_where_they_exist(tmp_path):
    write_files(tmp_path, PATIENTS)
    for name in ("a.dcm", f"atlas/{HOSTILE}.nii.gz"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    method = METHOD | {"courses": ["course.tsv", "course-<b>.png"]}
    write_pages(tmp_path, PATIENTS, {}, method, RUN, task=TASK, colours=COLOURS)
    links = {unquote(tag["href"]) for tag in Outline((tmp_path / "segmentations.html").read_text()).all("a")}
    assert {link for link in links if link.endswith(".dcm") or link.startswith(("atlas", "course"))} == {
        "a.dcm",
        f"atlas/{HOSTILE}.nii.gz",
        "course.tsv",
        "course-<b>.png",
    }


def test_the_state_of_each_step_is_a_word_and_not_only_a_symbol(overview):
    assert "Reading: passed" in overview
    assert "Registration: passed" in overview


@pytest.mark.parametrize("case", ["a", HOSTILE, "failed"])
def test_the_page_of_a_patient_needs_no_other_file(folder, case):
    text = page_of(folder, case)
    outline = Outline(text)
    assert all(tag["src"].startswith("data:image/png;base64,") for tag in outline.all("img"))
    assert [tag for tag in outline.all("script") if tag] == []
    assert "<canvas" not in text
    assert outline.all("img", "link")


@pytest.mark.parametrize("name", ["segmentations", "a", HOSTILE, "failed"])
def test_every_page_has_the_notice_on_screen_and_on_paper_and_no_external_address(folder, name):
    text = page_of(folder, name)
    assert text.index(NOTICE) < text.index("<main>")
    assert "Research use only\\2c  not for clinical decisions" in text.split("</style>")[0]
    assert "http://" not in text
    assert "https://" not in text
    assert "url(" not in text.split("</style>")[0]


def test_names_and_messages_are_text(folder, overview):
    assert "&lt;b&gt; #1 50%" in overview
    for text in (overview, page_of(folder, HOSTILE), page_of(folder, "failed"), page_of(folder, "with warning")):
        body = text[text.index("<body>") :]
        assert "<b>" not in body
        assert "<it>" not in body
        assert "<T2>" not in body
        assert "<all>" not in body
    assert r"\3c b\3e  \23 1 50\25 " in page_of(folder, HOSTILE)  # at the bottom of printed pages


def test_the_table_sorts_by_urgency_and_volume(overview):
    outline = Outline(overview)
    values = [tag["data-value"] for tag in outline.all("td") if "data-value" in tag]
    ml = ["34.567", "4.567", "0.12", "4.447", "30", "0.12"]
    assert values == ["3", "1", *ml, "0", *ml, "0", *ml]
    heads = outline.all("th")[:11]
    assert [head.get("scope") for head in heads] == ["col"] * 11
    assert sum("data-numeric" in head for head in heads) == 7
    assert all("data-sort" in head for head in heads)


def test_a_failed_patient_has_reason_and_remedy_on_both_pages(folder, overview):
    for text in (overview, page_of(folder, "failed")):
        assert "t2.nii.gz: the file stops in the middle; copy &lt;it&gt; again" in text
    assert "Why there is no mask" in page_of(folder, "failed")
    assert 'id="volumes"' not in page_of(folder, "failed")


def test_a_page_to_file_says_how_the_mask_was_made(folder):
    text = page_of(folder, HOSTILE)
    for part in ("0123abcd", "STARTER MODEL", "prediction.mode", "cpu fp32", "2026-01-02 03:04 UTC", "tumorseg 0."):
        assert part in text
    assert "elsewhere" not in text
    assert "small components removed from enhancing tumour (12 voxels)" in text
    assert "T1, T1CE, T2 (without FLAIR)" in text


def test_what_is_not_known_is_left_out(folder, overview):
    assert "Registration" in overview
    assert "Registration of T1CE" in page_of(folder, "a")
    assert 'id="preparation"' not in page_of(folder, "with warning")
    assert "Date of the images" in page_of(folder, "a")
    assert "Date of the images" not in page_of(folder, HOSTILE)
    assert "Expected Dice" not in page_of(folder, "a")
    assert "interval (ml)" not in page_of(folder, "a")


def test_diameters_are_on_the_page_of_the_patient_with_their_definitions(tmp_path):
    mask = np.zeros((30, 30, 30), np.uint8)
    mask[5:25, 10:20, 10:20] = 4
    measured = replace(PATIENTS[0], measures=measure_mask(mask, np.eye(4), TASK))
    write_files(tmp_path, [measured])
    write_pages(tmp_path, [measured], {}, METHOD, RUN, task=TASK, colours=COLOURS)
    text = page_of(tmp_path, "a")
    value = next(measure for measure in diameter_measures(TASK) if measure.name == "enhancing_diameter_mm")
    assert f"<td>{value.number(measured.measures)} mm</td>" in text
    assert value.definition in text


def test_intervals_and_reasons_to_look_are_on_both_pages(tmp_path):
    doubtful = replace(PATIENTS[0], attention=("the models disagree",), volume_intervals={"WT": (20e3, 50e3)})
    write_files(tmp_path, [doubtful])
    write_pages(tmp_path, [doubtful], {}, METHOD, RUN, task=TASK, colours=COLOURS)
    for page in ("segmentations", "a"):
        text = (tmp_path / f"{page}.html").read_text()
        assert "20.0 to 50.0" in text
        assert "the models disagree" in text
        assert "look at this one" in text.lower()
        assert "90 % interval" in text


def test_the_page_grows_little_with_each_patient(folder, tmp_path):
    many = [replace(PATIENTS[0], case=f"case-{number}") for number in range(20)]
    write_files(tmp_path, many)
    write_pages(tmp_path, many, {}, METHOD, RUN, task=TASK, colours=COLOURS)
    grown = (tmp_path / "segmentations.html").stat().st_size - (folder / "segmentations.html").stat().st_size
    assert grown < 20 * 2500


def test_equal_arguments_give_equal_pages(folder, tmp_path):
    write_files(tmp_path, PATIENTS)
    write_pages(tmp_path, PATIENTS, RECORDS, METHOD, RUN, task=TASK, colours=COLOURS)
    for page in folder.glob("*.html"):
        assert (tmp_path / page.name).read_bytes() == page.read_bytes()
