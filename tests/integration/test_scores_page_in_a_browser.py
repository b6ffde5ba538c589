"""The page of scores, opened from disk in a real browser."""

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.support.browser import CHROMIUM, MISSING, open_page, start
from tests.support.score_sets import TASK, score_set, score_set_2026, scores_of
from tumorseg.evaluation.disagreements import CaseMasks, Disagreement, slices_of
from tumorseg.reporting.scores_page.content import ScoresPage, picture
from tumorseg.reporting.scores_page.mask_viewer import PairCollector
from tumorseg.reporting.scores_page.scores_html import render_scores_page
from tumorseg.reporting.viewer.embed import embed_mask_viewer

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason=MISSING)
_A4 = 718
"""Width in CSS pixels within margins of 1 cm."""
COLOURS = {1: "#D55E00", 2: "#56B4E9", 4: "#F0E442"}
CASES = [f"BraTS-GLI-{number:05d}-000" for number in range(12)]
THREE = {name: scores_of(dice, CASES) for name, dice in (("low", 0.5), ("high", 0.9), ("middle", 0.7))}
TWENTY = {f"a_tool_with_a_rather_long_name_{number}": scores_of(0.5, CASES[:1], number) for number in range(20)}


@pytest.fixture(scope="module")
def browser():
    with start() as running:
        yield running


def write_page(path, folders):
    mask = np.zeros((90, 80, 30), np.uint8)
    mask[20:60, 20:70, 10:20] = 2
    affine = np.diag([-1.0, -1, -1, 1])
    masks = CaseMasks(CASES[0], mask, dict.fromkeys(folders, np.roll(mask, 5, axis=1)), (1.0, 1.0, 1.0), affine)
    found = Disagreement(CASES[0], True, dict.fromkeys(folders, 0.5))
    pictures = picture(found, slices_of(masks, between_folders=False), COLOURS)
    collector = PairCollector()
    collector.add(found, masks)
    viewer = embed_mask_viewer(collector.pairs, collector.texts, COLOURS, TASK)
    page = ScoresPage((score_set(folders), score_set_2026(folders)), (pictures,), viewer)
    path.write_text(render_scores_page(page, COLOURS, TASK), encoding="utf-8")
    return path


@pytest.fixture(scope="module", params=["three folders", "twenty folders with one case"])
def path(request, tmp_path_factory):
    folders = THREE if request.param == "three folders" else TWENTY
    return write_page(tmp_path_factory.mktemp("page") / "scores.html", folders)


@pytest.fixture(scope="module")
def page(browser, tmp_path_factory):
    return open_page(browser, write_page(tmp_path_factory.mktemp("page") / "scores.html", THREE)).page


def test_the_page_opens_without_requests_and_console_messages(browser, path):
    opened = open_page(browser, path)
    assert opened.complaints == []
    assert [url for url in opened.requests if not url.startswith("data:")] == [path.as_uri()]


@pytest.mark.parametrize("width", [390, 1400])
def test_the_page_is_no_wider_than_its_window(browser, path, width):
    assert open_page(browser, path, width=width).page.evaluate("document.documentElement.scrollWidth") <= width


def test_no_table_is_wider_than_a_desktop_page_at_first(browser, path):
    for region in open_page(browser, path, width=1400).page.locator(".wide").all():
        assert region.evaluate("part => part.scrollWidth <= part.clientWidth"), region.get_attribute("aria-label")


def test_nothing_is_wider_than_the_printed_page(browser, path):
    page = open_page(browser, path, width=_A4).page
    page.emulate_media(media="print")
    for region in page.locator(".wide").all():
        assert region.evaluate("part => part.scrollWidth <= part.clientWidth"), region.get_attribute("aria-label")


def shown_heads(page) -> list[str]:
    return page.locator("#cases-2023 thead th:visible").all_inner_texts()


def test_readers_choose_the_columns_of_the_table(page):
    chooser = page.locator('.columns[data-table="cases-2023"]')
    assert shown_heads(page) == [
        "Case",
        "Folder",
        *(f"Dice {name}" for name in ("WT", "TC", "ET")),
        *(f"HD95 {name}, mm" for name in ("WT", "TC", "ET")),
    ]
    chooser.get_by_label("HD95 as in BraTS").uncheck()
    chooser.get_by_label("TC").uncheck()
    chooser.get_by_label("Lesion-wise Dice").check()
    heads = ["Case", "Folder", "Dice WT", "Dice ET", "Lesion-wise Dice WT", "Lesion-wise Dice ET"]
    assert shown_heads(page) == heads
    assert page.locator("#cases-2023 tbody tr").first.locator("th:visible, td:visible").count() == len(heads)


def test_the_table_sorts_by_a_score_and_filters_by_folder(page):
    page.locator("#cases-2023").get_by_role("button", name="Dice WT", exact=True).click()
    values = page.locator("#cases-2023 tbody tr > :nth-child(3)").evaluate_all(
        "cells => cells.map(cell => Number(cell.dataset.value))"
    )
    assert values == sorted(values)
    page.locator('.controls[data-table="cases-2023"] input').fill("middle")
    assert page.locator("#cases-2023 tbody tr:visible").count() == len(CASES)


def test_a_phone_shows_one_score_at_first(browser, tmp_path):
    page = open_page(browser, write_page(tmp_path / "scores.html", THREE), width=390).page
    assert shown_heads(page) == ["Case", "Folder", "Dice WT", "Dice TC", "Dice ET"]


def test_a_link_at_a_picture_opens_the_masks_of_its_folder(page):
    page.locator("[data-viewer-case]").nth(1).click()
    page.wait_for_selector('.viewer[data-state="ready"]', timeout=60_000)
    assert page.locator("#viewer-case").input_value() == f"{CASES[0]}, high"
    page.get_by_role("button", name="Largest error").click()
    expect(page.locator("#viewer-error-text")).to_have_text("4.0 cm² of this axial slice are labelled wrongly.")
