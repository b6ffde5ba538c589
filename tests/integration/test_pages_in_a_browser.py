"""The pages of a run, opened from disk in a real browser."""

import base64
import gzip
import io
import re

import nibabel
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.screenshot import HEIGHT, screenshot
from tests.support.browser import CHROMIUM, MISSING, open_page, start
from tests.unit.cohort.test_overview import overview_of, validated
from tumorseg.cohort.exclusions import read_exclusions
from tumorseg.io.files import read_json, write_json
from tumorseg.reporting.cohort_page.cohort_html import render_cohort_page
from tumorseg.reporting.viewer.embed import embed_viewer
from tumorseg.task import load_task

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason=MISSING)
_A4 = 718
"""Width in CSS pixels within margins of 1 cm; 1047 in landscape."""


@pytest.fixture(scope="module")
def browser():
    with start() as running:
        yield running


@pytest.fixture(scope="module", params=["report.html", "cohort/cohort.html"])
def path(request, finished):
    return finished.results / request.param


def test_a_page_opens_without_requests_and_console_messages(browser, path):
    opened = open_page(browser, path)
    opened.page.mouse.wheel(0, 100_000)
    opened.page.wait_for_timeout(500)
    assert opened.complaints == []
    assert [url for url in opened.requests if not url.startswith(("data:", "blob:"))] == [path.as_uri()]


def test_a_page_fits_a_phone(browser, path):
    assert open_page(browser, path, width=390).page.evaluate("document.documentElement.scrollWidth") <= 390


def test_nothing_is_wider_than_the_printed_page(browser, path):
    page = open_page(browser, path, width=_A4).page
    page.emulate_media(media="print")
    page.evaluate("[...document.querySelectorAll('.landscape')].forEach(part => part.style.width = '1047px')")
    for region in page.locator(".wide").all():
        assert region.evaluate("part => part.scrollWidth <= part.clientWidth"), region.get_attribute("aria-label")


def test_a_case_is_enlarged_marked_and_exported_with_the_keyboard(browser, finished):
    opened = open_page(browser, finished.results / "cohort/cohort.html")
    page = opened.page
    names = [row.get_attribute("data-case") for row in page.locator("#usable-cases tbody tr").all()]
    page.get_by_label(f"Enlarge the images of {names[0]}").press("Enter")
    page.locator("dialog.review").press("ArrowRight")
    dialog = page.get_by_role("dialog", name=names[1])
    assert dialog.get_by_role("img").first.bounding_box()["width"] > 300
    dialog.get_by_label(f"Mark of {names[1]}").select_option("exclude")
    dialog.get_by_label(f"Reason to exclude {names[1]}").fill("moved\tduring the scan")
    page.keyboard.press("Escape")
    expect(page.get_by_label(f"Enlarge the images of {names[1]}")).to_be_focused()
    assert page.locator("#usable-cases").get_by_label(f"Mark of {names[1]}").input_value() == "exclude"
    page.reload()
    with page.expect_download() as download:
        page.get_by_role("button", name="Export the list").press("Enter")
    assert read_exclusions(download.value.path(), names) == {names[1]: "moved during the scan"}
    page.get_by_role("button", name="Discard changes").press("Enter")
    assert page.locator(".marks-count").inner_text() == "0 cases to exclude, 0 cases to keep."
    assert opened.complaints == []


def test_a_long_table_shows_more_rows_on_request(browser, tmp_path):
    cases = overview_of(*(validated(f"case {number:03d}") for number in range(250)))
    (tmp_path / "page.html").write_text(render_cohort_page(cases, {}, {}, load_task(), 96))
    page = open_page(browser, tmp_path / "page.html").page
    rows = page.locator("#usable-cases tbody tr:visible")
    assert (rows.count(), rows.first.locator("select").count()) == (100, 1)
    page.get_by_role("button", name="Show 100 more").click()
    assert (rows.count(), rows.last.locator("select").count()) == (200, 1)
    page.get_by_role("columnheader", name="Case", exact=True).last.get_by_role("button").click()
    page.get_by_role("columnheader", name="Case", exact=True).last.get_by_role("button").click()
    assert (rows.count(), rows.first.get_attribute("data-case")) == (200, "case 249")
    page.locator(".controls[data-table=usable-cases] input").fill("case 01")
    assert rows.count() == 10
    page.goto(f"{(tmp_path / 'page.html').as_uri()}#case-230")
    page.reload()
    assert rows.count() == 230
    page.emulate_media(media="print")
    assert rows.count() == 250


@pytest.fixture(scope="module")
def report(browser, finished):
    return open_page(browser, finished.results / "report.html").page


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


def test_the_filter_hides_other_rows_of_the_table(report):
    rows = report.locator("#every-case-table tbody tr")
    report.get_by_label("Filter").fill("viewer")  # a word of the links, which are not searched
    assert report.locator("#every-case-table tbody tr:visible").count() == 0
    case = rows.first.locator("th").get_attribute("data-value")
    report.get_by_label("Filter").fill(case)
    assert report.locator("#every-case-table tbody tr:visible").count() == 1
    report.get_by_label("Filter").fill("")
    assert report.locator("#every-case-table tbody tr:visible").count() == rows.count()


def test_a_link_to_a_row_shows_it_despite_the_filter(report):
    link = report.locator('a[href^="#case-"]').first
    for _ in range(2):  # the second time the address does not change
        report.get_by_label("Filter").fill("no such case")
        link.press("Enter")
        report.locator(link.get_attribute("href")).wait_for(state="visible")
    report.get_by_label("Filter").fill("")


def test_a_reader_chooses_the_columns_of_the_table(report):
    head = report.get_by_role("columnheader", name="Lesion-wise Dice WT", exact=True)
    assert head.count() == 0  # hidden
    report.get_by_label("Lesion-wise Dice", exact=True).check()
    assert head.count() == 1
    report.get_by_label("WT", exact=True).uncheck()
    assert head.count() == 0
    report.get_by_label("WT", exact=True).check()


def test_the_list_of_contents_stays_in_sight_and_is_folded_on_a_phone(browser, finished, report):
    link = report.get_by_role("navigation", name="Sections").get_by_role("link", name="Provenance")
    report.evaluate("scrollTo(0, document.body.scrollHeight)")
    assert 0 <= link.bounding_box()["y"] < 100
    phone = open_page(browser, finished.results / "report.html", width=390).page
    entry = phone.get_by_role("navigation", name="Sections").get_by_role("link", name="Provenance")
    assert not entry.is_visible()
    phone.get_by_text("Contents", exact=True).click()
    assert entry.is_visible()


def test_a_figure_enlarges_with_the_keyboard_and_escape_closes_it(report):
    button = report.get_by_role("button", name="Enlarge").last
    button.press("Enter")
    picture = report.get_by_role("dialog").get_by_role("img")
    assert picture.bounding_box()["width"] > 1000
    report.keyboard.press("Escape")
    assert not picture.is_visible()
    assert button.evaluate("button => button === document.activeElement")


def test_links_lead_from_page_to_page_and_back(browser, finished):
    page = open_page(browser, finished.results / "report.html").page
    assert not page.get_by_role("link", name="Page of scores").is_visible()
    page.get_by_role("navigation", name="Sections").get_by_role("link", name="Cohort page").click()
    assert "cohort.html" in page.url
    page.get_by_role("link", name="Report", exact=True).click()
    assert "/report.html" in page.url


def test_a_dark_page_keeps_its_figures_white_and_its_prints_light(browser, finished):
    page = open_page(browser, finished.results / "report.html").page
    page.emulate_media(color_scheme="dark")
    background = "element => getComputedStyle(element).backgroundColor"
    assert page.locator("body").evaluate(background) == "rgb(21, 24, 27)"
    assert page.locator("figure img").last.evaluate(background) == "rgb(255, 255, 255)"
    page.emulate_media(color_scheme="dark", media="print")
    assert page.locator("body").evaluate(background) == "rgb(255, 255, 255)"


def test_a_shadow_marks_a_table_that_continues_to_the_right(report):
    for box in report.locator(".columns input").all():
        box.check()
    region = report.get_by_role("region", name="Scores of each case")
    brightness = []
    for place in (0, 100_000):
        region.evaluate("(part, place) => { part.scrollLeft = place; }", place)
        with Image.open(io.BytesIO(region.screenshot())) as image:
            brightness.append(np.asarray(image.convert("L"))[10, -2])  # beside the caption
    assert brightness[0] < 240
    assert brightness[1] == 255


@pytest.fixture(scope="module")
def viewer(browser, finished):
    """The loaded viewer of the report. It loads only when it is scrolled into view."""
    opened = open_page(browser, finished.results / "report.html")
    assert opened.page.locator(".viewer").get_attribute("data-state") == "waiting"
    opened.page.locator("#viewer").scroll_into_view_if_needed()
    opened.page.locator('.viewer[data-state="ready"]').wait_for(timeout=60_000)
    return opened


def canvas_pixels(viewer, wait=1000):
    """Return the pixels of the viewer's canvas, (H, W, 3) int."""
    viewer.page.wait_for_timeout(wait)
    picture = viewer.page.locator(".viewer-picture:visible canvas").first.screenshot()
    with Image.open(io.BytesIO(picture)) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def volume_of(base64_nifti):
    """Return the voxels and the affine of a volume in the page."""
    image = nibabel.Nifti1Image.from_bytes(gzip.decompress(base64.b64decode(base64_nifti)))
    return np.asarray(image.dataobj), image.affine


def test_the_viewer_draws_a_brain_without_requests_and_console_messages(viewer):
    pixels = canvas_pixels(viewer)
    assert (pixels.max(axis=2) > 50).mean() > 0.02
    assert viewer.complaints == []
    assert [url for url in viewer.requests if not url.startswith(("data:", "blob:", "file:"))] == []


def test_another_slice_changes_the_picture(viewer):
    before = canvas_pixels(viewer)
    viewer.page.get_by_label("Axial slice").press("ArrowRight")
    viewer.page.get_by_label("Axial slice").press("ArrowRight")
    assert np.abs(canvas_pixels(viewer) - before).max() > 20


@pytest.fixture(scope="module")
def overlaid(browser, finished, tmp_path_factory):
    """The viewer alone, with the reference as its prediction, since the prediction of the tiny run is empty."""
    folder = tmp_path_factory.mktemp("viewer")
    content = read_json(finished.results / "figures/viewer.json")
    for case in content["cases"]:
        case["volumes"]["prediction"] = case["volumes"]["reference"]
    write_json(folder / "viewer.json", content)
    parts = embed_viewer(folder / "viewer.json", {1: "#D55E00", 2: "#56B4E9", 4: "#F0E442"}, 0.5, load_task())
    page = f"<!DOCTYPE html><meta charset='utf-8'><style>{parts.style}</style>{parts.markup}{parts.scripts}"
    (folder / "page.html").write_text(page)
    opened = open_page(browser, folder / "page.html")
    opened.page.locator('.viewer[data-state="ready"]').wait_for(timeout=60_000)
    return opened


@pytest.mark.parametrize("overlay", ["Reference (filled)", "Prediction (outlined)", "Fill prediction"])
def test_an_overlay_can_be_switched_and_switched_back(overlaid, overlay):
    switch = overlaid.page.get_by_label(overlay)
    before, checked = canvas_pixels(overlaid), switch.is_checked()
    switch.set_checked(not checked)
    assert np.abs(canvas_pixels(overlaid) - before).max() > 20
    switch.set_checked(checked)
    assert np.abs(canvas_pixels(overlaid) - before).max() < 20


def test_the_difference_changes_the_picture_and_its_legend(overlaid):
    before = canvas_pixels(overlaid)
    overlaid.page.get_by_label("Difference", exact=True).check()
    assert np.abs(canvas_pixels(overlaid) - before).max() > 20
    assert overlaid.page.get_by_label("Colours of the difference").is_visible()
    overlaid.page.get_by_role("button", name="Largest error").click()
    expect(overlaid.page.locator("#viewer-error-text")).to_have_text("No voxel is labelled wrongly.")
    overlaid.page.get_by_label("Difference", exact=True).uncheck()
    assert np.abs(canvas_pixels(overlaid) - before).max() < 20


def test_the_largest_error_of_an_empty_prediction_is_the_slice_with_the_most_tumour(viewer):
    content = viewer.page.locator(".viewer-case").first.evaluate("it => JSON.parse(it.textContent)")
    labels, affine = volume_of(content["volumes"]["reference"])
    wrong = labels != volume_of(content["volumes"]["prediction"])[0]
    viewer.page.get_by_role("button", name="Largest error").click()
    area = wrong.sum(axis=(0, 1)).max() * np.abs(np.linalg.det(affine[:2, :2])) / 100
    expect(viewer.page.locator("#viewer-error-text")).to_have_text(re.compile(rf"^{area:.1f} cm² of this axial slice"))
    shown = int(viewer.page.get_by_label("Axial slice").input_value()) - 1
    assert wrong.sum(axis=(0, 1))[shown if affine[2, 2] > 0 else -1 - shown] == wrong.sum(axis=(0, 1)).max()


def test_all_images_are_shown_side_by_side(viewer):
    viewer.page.get_by_label("All images side by side").check()
    names = viewer.page.locator(".viewer-picture:visible .viewer-name")
    expect(names).to_have_text(["FLAIR", "T1", "T1CE", "T2"])
    viewer.page.locator('.viewer[data-state="ready"]').wait_for(timeout=60_000)
    viewer.page.get_by_label("All images side by side").uncheck()
    expect(names).to_have_count(1)


def test_masks_are_shown_as_surfaces(overlaid):
    overlaid.page.get_by_label("View", exact=True).select_option("surfaces")
    names = overlaid.page.locator(".viewer-picture:visible .viewer-name")
    expect(names).to_have_text(["Reference", "Prediction"])
    overlaid.page.locator('.viewer[data-state="ready"]').wait_for(timeout=60_000)
    pixels = canvas_pixels(overlaid)
    assert (pixels.max(axis=2) > 50).mean() > 0.02
    overlaid.page.get_by_label("View", exact=True).select_option("planes")
    expect(names).to_have_count(1)


@pytest.mark.parametrize("flip", [1, -1])
def test_the_surface_of_a_ball_encloses_its_volume(overlaid, flip):
    made = overlaid.page.evaluate(
        """flip => {
        const dims = [30, 28, 26], ball = new Uint8Array(30 * 28 * 26);
        for (let z = 0; z < 26; z++) for (let y = 0; y < 28; y++) for (let x = 0; x < 30; x++)
          if ((x - 15) ** 2 + (y - 14) ** 2 + (z - 13) ** 2 <= 100) ball[x + 30 * (y + 28 * z)] = 1;
        const affine = [[2 * flip, 0, 0, 5], [0, 1, 0, -3], [0, 0, 1, 0]];
        const { positions, triangles } = viewerSurfaces(ball, dims, (value) => value === 1, affine);
        return [[...positions], [...triangles]];
    }""",
        flip,
    )
    points, triangles = (np.array(part).reshape(-1, 3) for part in made)
    corners = points[triangles]
    volume = np.einsum("ij,ij->i", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])).sum() / 6
    assert volume == pytest.approx(2 * 4 / 3 * np.pi * 10**3, rel=0.06)  # positive: triangles face outwards
    assert points.mean(axis=0) == pytest.approx([5 + 30 * flip, 11, 13], abs=0.2)


def test_the_opacity_changes_the_picture(viewer):
    before = canvas_pixels(viewer)
    viewer.page.get_by_label("Fill opacity").press("Home")
    assert np.abs(canvas_pixels(viewer) - before).max() > 20
    viewer.page.get_by_label("Fill opacity").press("End")


def test_the_link_of_a_row_opens_its_case_in_the_viewer(viewer):
    link = viewer.page.locator("[data-viewer-case]").first
    link.press("Enter")
    viewer.page.locator('.viewer[data-state="ready"]').wait_for()
    assert viewer.page.locator("#viewer-case").input_value() == link.get_attribute("data-viewer-case")
    assert viewer.page.url.endswith("#viewer")


def test_another_modality_changes_the_picture(viewer):
    before = canvas_pixels(viewer)
    viewer.page.get_by_label("Image", exact=True).select_option("t1ce")
    assert np.abs(canvas_pixels(viewer) - before).max() > 20


def test_the_head_is_rendered_in_3d(viewer):
    viewer.page.get_by_label("View", exact=True).select_option("3d")
    assert (canvas_pixels(viewer, wait=5000).max(axis=2) > 50).mean() > 0.02
    viewer.page.get_by_label("View", exact=True).select_option("planes")


def swipe_up(page, x, y, length):
    """Swipe up with one finger."""
    session = page.context.new_cdp_session(page)
    points = [{"x": x, "y": y - moved} for moved in range(0, length + 1, 20)]
    for number, point in enumerate(points):
        kind = "touchMove" if number else "touchStart"
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [point]})
        page.wait_for_timeout(20)
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    page.wait_for_timeout(500)


def test_a_swipe_scrolls_the_page_until_the_viewer_is_tapped(browser, finished):
    page = open_page(browser, finished.results / "report.html", width=390, touch=True).page
    page.locator("#viewer").scroll_into_view_if_needed()
    page.locator('.viewer[data-state="ready"]').wait_for(timeout=60_000)
    picture = page.locator(".viewer-picture").first

    def scrolled():
        picture.evaluate("picture => picture.scrollIntoView({ block: 'center' })")
        page.wait_for_timeout(500)
        before = page.evaluate("scrollY")
        box = picture.bounding_box()
        swipe_up(page, box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.8, 200)
        return page.evaluate("scrollY") - before

    assert scrolled() > 100
    picture.tap()
    assert scrolled() == 0
    page.locator("#viewer").tap()
    assert scrolled() > 100


def test_the_picture_of_the_readme_shows_scores_and_a_brain(browser, finished):
    picture = screenshot(browser, finished.results / "report.html")
    assert picture.height == HEIGHT
    grey = np.asarray(picture.convert("L"))
    assert (grey[:80] < 100).any()  # the scores
    middle = grey[HEIGHT // 2]
    assert (middle < 10).mean() > 0.2  # the background of the brain
    assert ((middle > 50) & (middle < 250)).any()
