"""The pages of a run, opened from disk in a real browser."""

import io

import numpy as np
import pytest
from PIL import Image

from tests.browser import CHROMIUM, MISSING, start, visit

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason=MISSING)


@pytest.fixture(scope="module")
def browser():
    with start() as running:
        yield running


@pytest.fixture(scope="module", params=["report.html", "cohort/cohort.html"])
def path(request, finished):
    return finished.results / request.param


def test_a_page_opens_without_network_and_without_complaint(browser, path):
    opened = visit(browser, path)
    opened.page.mouse.wheel(0, 100_000)
    opened.page.wait_for_timeout(500)
    assert opened.complaints == []
    assert [url for url in opened.requests if not url.startswith(("data:", "blob:"))] == [path.as_uri()]


def test_a_page_fits_a_phone(browser, path):
    assert visit(browser, path, width=390).page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.fixture(scope="module")
def report(browser, finished):
    return visit(browser, finished.results / "report.html").page


def test_the_table_sorts_by_any_column_both_ways(report):
    head = report.get_by_role("columnheader", name="Dice WT", exact=True)
    values = {}
    for direction in ("ascending", "descending"):
        head.get_by_role("button").press("Enter")
        assert head.get_attribute("aria-sort") == direction
        column = head.evaluate("head => head.cellIndex")
        cells = report.locator(f"#every-case-table tbody tr > :nth-child({column + 1})")
        values[direction] = cells.evaluate_all("cells => cells.map(cell => Number(cell.dataset.value))")
    assert values["ascending"] == sorted(values["ascending"])
    assert values["descending"] == sorted(values["ascending"], reverse=True)


def test_the_table_shows_only_what_the_filter_says(report):
    rows = report.locator("#every-case-table tbody tr")
    case = rows.first.locator("th").get_attribute("data-value")
    report.get_by_label("Filter").fill(case)
    assert report.locator("#every-case-table tbody tr:visible").count() == 1
    report.get_by_label("Filter").fill("")
    assert report.locator("#every-case-table tbody tr:visible").count() == rows.count()


def test_a_link_to_a_row_shows_it_though_the_filter_hides_it(report):
    report.get_by_label("Filter").fill("no such case")
    link = report.locator('a[href^="#case-"]').first
    row = link.get_attribute("href")
    link.press("Enter")
    report.locator(row).wait_for(state="visible")
    report.get_by_label("Filter").fill("")


@pytest.fixture(scope="module")
def viewer(browser, finished):
    """The viewer of the report, ready; nothing of it was decoded before it came near the screen."""
    opened = visit(browser, finished.results / "report.html")
    assert opened.page.locator(".viewer").get_attribute("data-state") == "waiting"
    opened.page.locator("#viewer").scroll_into_view_if_needed()
    opened.page.locator('.viewer[data-state="ready"]').wait_for(timeout=60_000)
    return opened


def seen(viewer, wait=1000):
    """The pixels of the viewer's canvas as they are on the screen: (H, W, 3)."""
    viewer.page.wait_for_timeout(wait)
    picture = viewer.page.locator(".viewer-picture canvas").screenshot()
    with Image.open(io.BytesIO(picture)) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def test_the_viewer_draws_a_brain_without_network_or_complaint(viewer):
    pixels = seen(viewer)
    assert (pixels.max(axis=2) > 50).mean() > 0.02
    assert viewer.complaints == []
    assert [url for url in viewer.requests if not url.startswith(("data:", "blob:", "file:"))] == []


def test_another_slice_is_another_picture(viewer):
    before = seen(viewer)
    viewer.page.get_by_label("Axial slice").press("ArrowRight")
    viewer.page.get_by_label("Axial slice").press("ArrowRight")
    assert np.abs(seen(viewer) - before).max() > 20


def test_switching_the_reference_off_and_on_goes_there_and_back(viewer):
    with_reference = seen(viewer)
    viewer.page.get_by_label("Reference (filled)").uncheck()
    without = seen(viewer)
    assert np.abs(without - with_reference).max() > 20
    viewer.page.get_by_label("Reference (filled)").check()
    assert np.abs(seen(viewer) - with_reference).max() < 20


def test_another_modality_is_another_picture(viewer):
    before = seen(viewer)
    viewer.page.get_by_label("Image", exact=True).select_option("t1ce")
    assert np.abs(seen(viewer) - before).max() > 20


def test_the_head_is_rendered_in_3d(viewer):
    viewer.page.get_by_label("View", exact=True).select_option("3d")
    assert (seen(viewer, wait=5000).max(axis=2) > 50).mean() > 0.02
    viewer.page.get_by_label("View", exact=True).select_option("planes")
