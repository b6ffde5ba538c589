"""The page of all new patients, opened from disk in a real browser."""

import io

import numpy as np
import pytest
from PIL import Image

from tests.support.browser import CHROMIUM, MISSING, open_page, start
from tests.support.builders import TASK
from tests.support.patient_pages import COLOURS, HOSTILE, METHOD, PATIENTS, RECORDS, RUN, write_files
from tumorseg.reporting.segmentations_page.pages import write_pages

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason=MISSING)
READY = '.viewer[data-state="ready"]'
_A4_LANDSCAPE = 1047
"""Width in CSS pixels within margins of 1 cm."""


@pytest.fixture(scope="module")
def browser():
    with start() as running:
        yield running


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("segmentations")
    write_files(made, PATIENTS)
    write_pages(made, PATIENTS, RECORDS, METHOD, RUN, task=TASK, colours=COLOURS)
    return made


@pytest.fixture(scope="module")
def viewer(browser, folder):
    """The page with its loaded viewer."""
    opened = open_page(browser, folder / "segmentations.html")
    opened.page.locator("#viewer").scroll_into_view_if_needed()
    opened.page.locator(READY).wait_for(timeout=120_000)
    return opened


def pixels(viewer, number: int) -> np.ndarray:
    """Return the pixels of a picture of the viewer, (H, W, 3) int."""
    viewer.page.wait_for_timeout(1000)
    picture = viewer.page.locator(".viewer-picture canvas").nth(number).screenshot(timeout=120_000)
    with Image.open(io.BytesIO(picture)) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def coloured_pixels(viewer) -> int:
    """Return the number of pixels of the first picture that are not grey."""
    shown = pixels(viewer, 0)
    return int((shown.max(axis=2) - shown.min(axis=2) > 20).sum())


def test_two_images_are_shown_and_only_the_files_of_the_selected_patient_are_read(viewer, folder):
    assert (pixels(viewer, 0).max(axis=2) > 50).mean() > 0.02
    assert np.abs(pixels(viewer, 0) - pixels(viewer, 1)).max() > 20  # T1CE and FLAIR differ
    assert viewer.complaints == []
    scripts = [url for url in viewer.requests if url.endswith(".js")]
    assert scripts == [(folder / name).as_uri() for name in ("viewer/niivue.js", "viewer/with warning.js")]
    assert all(url.startswith(("file:", "data:", "blob:")) for url in viewer.requests)


def test_a_slice_is_changed_in_both_images(viewer):
    before = [pixels(viewer, number) for number in range(2)]
    for _ in range(2):
        viewer.page.get_by_label("Axial slice").press("ArrowRight")
    assert all(np.abs(pixels(viewer, number) - before[number]).max() > 20 for number in range(2))


def test_the_opacity_fills_the_mask_and_the_tick_hides_it(viewer):
    for _ in range(2):
        viewer.page.get_by_label("Axial slice").press("ArrowLeft")  # back to the slice with the mask
    outlined = coloured_pixels(viewer)
    viewer.page.get_by_label("Fill opacity").press("End")
    assert coloured_pixels(viewer) > 1.2 * outlined > 0
    viewer.page.get_by_role("checkbox", name="Mask").uncheck()
    assert coloured_pixels(viewer) == 0
    viewer.page.get_by_role("checkbox", name="Mask").check()
    viewer.page.get_by_label("Fill opacity").press("Home")
    assert coloured_pixels(viewer) == pytest.approx(outlined, rel=0.1)


def test_a_link_opens_a_patient_without_an_image_that_is_then_not_offered(viewer):
    viewer.page.locator("[data-viewer-case]").nth(1).press("Enter")
    viewer.page.wait_for_function("document.querySelector('#viewer-case').value.startsWith('<b>')")
    viewer.page.locator(READY).wait_for()
    assert viewer.page.get_by_label("Patient", exact=True).input_value() == HOSTILE
    right = viewer.page.get_by_label("Right image")
    assert right.input_value() == "t1"
    assert right.locator("option:disabled").all_inner_texts() == ["FLAIR"]
    viewer.page.get_by_label("Patient", exact=True).select_option("a")
    viewer.page.wait_for_function("document.querySelector('#viewer-image-2').value === 'flair'")
    assert viewer.complaints == []


def test_a_missing_file_is_named_and_no_other_patient_is_shown(browser, folder, tmp_path):
    (tmp_path / "viewer").mkdir()
    for name in ("segmentations.html", "viewer/niivue.js"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    page = open_page(browser, tmp_path / "segmentations.html").page
    page.locator("#viewer").scroll_into_view_if_needed()
    page.locator('.viewer[data-state="failed"]').wait_for(timeout=120_000)
    assert "the file viewer/with warning.js is missing" in page.locator(".viewer-status").inner_text()
    assert page.locator(".viewer-picture:visible").count() == 0


@pytest.mark.parametrize("name", ["segmentations", "a", "failed"])
def test_a_page_fits_a_phone(browser, folder, name):
    page = open_page(browser, folder / f"{name}.html", width=390).page
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_labels_are_folded_until_they_are_asked_for(browser, folder):
    page = open_page(browser, folder / "segmentations.html").page
    labels = page.locator("#patients-table th.label-volume:visible")
    assert labels.count() == 0
    page.get_by_label("Show the volume of each label").check()
    assert labels.count() == 3


def test_table_and_pictures_are_printed_and_the_viewer_is_not(browser, folder):
    page = open_page(browser, folder / "segmentations.html", width=_A4_LANDSCAPE).page
    page.set_default_timeout(120_000)  # the viewer may be starting
    page.emulate_media(media="print")
    assert page.locator("#patients-table").is_visible()
    assert page.locator("#patients-table").evaluate("table => table.scrollWidth") <= _A4_LANDSCAPE
    assert page.locator(".gallery img:visible").count() == 3
    assert not page.locator(".viewer").is_visible()
    assert page.locator(".clinical").is_visible()
