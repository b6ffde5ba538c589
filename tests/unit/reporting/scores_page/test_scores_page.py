import re
from html.parser import HTMLParser

import numpy as np
import pytest

from tests.support.score_sets import TASK, score_set, score_set_2026, scores_of
from tumorseg.evaluation.disagreements import Disagreement, MaskSlices
from tumorseg.reporting.scores_page import scores_html
from tumorseg.reporting.scores_page.content import ScoresPage, folder_labels, page_notes, picture, significance_sentence
from tumorseg.reporting.scores_page.scores_html import render_scores_page
from tumorseg.reporting.viewer.embed import EmbeddedViewer

COLOURS = {1: "#D55E00", 2: "#56B4E9", 4: "#F0E442"}
CASES = [f"case-{number}" for number in range(12)]
THREE = {name: scores_of(dice, CASES) for name, dice in (("low", 0.5), ("high", 0.9), ("middle", 0.7))}


def page_of(*sets, pictures=()) -> str:
    viewer = EmbeddedViewer("", "", "", ()) if pictures else None
    return render_scores_page(ScoresPage(tuple(sets), tuple(pictures), viewer), COLOURS, TASK)


def headings(page: str) -> list[str]:
    return re.findall(r"<h[23][^>]*>([^<]+)</h[23]>", page)


def section(page: str, heading: str) -> str:
    return page.split(f">{heading}</h3>")[1].split("<h3>", maxsplit=1)[0]


def rows_of(part: str) -> list[list[str]]:
    """Return the text of the cells of each row of the body of the first table."""
    body = re.sub(r"<svg.*?</svg>", "", part.split("<tbody>")[1].split("</table>", maxsplit=1)[0], flags=re.DOTALL)
    rows = re.findall(r"<tr.*?</tr>", body, re.DOTALL)
    return [
        [" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in re.findall(r"<t[hd].*?</t[hd]>", row)]
        for row in rows
    ]


def test_several_folders_have_a_ranking_and_differences():
    page = page_of(score_set(THREE, "middle"))
    assert headings(page)[:5] == [
        "Scores in general use and of BraTS 2023",
        "Ranking",
        "Differences from middle",
        "Scores of each case",
        "All cases",
    ]
    assert [row[:3] for row in rows_of(section(page, "Ranking"))] == [
        ["high", "1", "1.00"],
        ["middle", "2", "2.00"],
        ["low", "3", "3.00"],
    ]
    assert ["high", "WT", "+0.200"] in [row[:3] for row in rows_of(section(page, "Differences from middle"))]
    assert "Holm" in page


def test_a_single_folder_has_no_comparison():
    page = page_of(score_set({"masks": THREE["low"]}))
    assert not {"Ranking", "Holm", "Wilcoxon", "Kendall"} & set(re.findall(r"\w+", page))
    assert "All cases" in headings(page)


def test_scores_of_2026_have_a_section_of_their_own():
    first, second = page_of(score_set(THREE), score_set_2026(THREE)).split('<section aria-labelledby="scores-2026">')
    second = second.split("</section>")[0]
    assert "2026" not in re.sub(r"<nav.*?</nav>", "", first.split('<h2 id="scores">')[1], flags=re.DOTALL)
    assert "2023" not in second
    assert "Lesion-wise" not in second
    assert "Lesion F1" in second


def test_names_with_html_stay_text():
    name = '<img src=x onerror=alert(1)> & "quotes"'
    page = page_of(score_set({name: THREE["low"], "b": THREE["high"]}, **{name: {"missing": ["<b>case</b>"]}}))
    assert "<img src" not in page
    assert "<b>case" not in page
    assert "&lt;img src=x onerror=alert(1)&gt; &amp; &#34;quotes&#34;" in page


def test_missing_and_invalid_masks_are_named_and_explained():
    masks = {
        "missing": ["case-1"],
        "unusable": [{"case": "case-2", "file": "case-2.nii.gz", "reason": "the file is empty"}],
        "without_reference": ["other.nii.gz"],
        "hints": [{"hint": "swap labels", "label_map": {}}, {"case": "case-3", "file": "f", "hint": "mirrored"}],
    }
    scored = score_set({"masks": THREE["low"]}, masks=masks)
    page = page_of(scored)
    assert "case-1</strong>, scored as missed: no file of this case" in page
    assert "case-2</strong>, scored as missed: case-2.nii.gz: the file is empty" in page
    assert "other.nii.gz: no reference" in page
    assert "case-3: mirrored" in page
    assert "counts as the worst value of each score, 0 or 374 mm" in page
    assert [text for text, _ in page_notes(ScoresPage((scored,), (), None), TASK)] == [
        "masks: 2 cases without a valid mask, scored as missed.",
        "masks: 1 mask without a reference, not scored.",
        "masks: masks may have a wrong orientation or permuted labels.",
    ]
    assert ["case-1", "masks no valid mask"] in [row[:2] for row in rows_of(section(page, "All cases"))]


def test_few_cases_are_a_note_and_cannot_be_significant():
    few = score_set({name: scores_of(dice, CASES[:4]) for name, dice in (("a", 0.5), ("b", 0.9))})
    assert page_notes(ScoresPage((few,), (), None), TASK)[0][0] == (
        "Only 4 cases: differences are rough, and means have no intervals."
    )
    sentence = significance_sentence(few)
    assert sentence.startswith("0 of 12 tests have a p value of at most 0.05 after the correction")
    assert "With 4 cases, no test can have a p value below 0.12" in sentence
    assert significance_sentence(score_set(THREE)).startswith("24 of 24 tests have")


def test_twenty_folders_with_one_case_have_numbers_below_the_plots():
    names = [f"a tool with a long name {number}" for number in range(20)]
    assert folder_labels(names) == [str(number) for number in range(1, 21)]
    assert folder_labels(["a", "b"]) == ["a", "b"]
    page = page_of(score_set({name: scores_of(0.5, CASES[:1], seed) for seed, name in enumerate(names)}))
    assert page.count("<li>a tool with a long name 7</li>") == 1
    assert "the stability of the ranking is unknown" in page
    assert len(rows_of(section(page, "All cases"))) == 20


def test_the_table_of_cases_stops_at_a_limit_and_says_so(monkeypatch):
    monkeypatch.setattr(scores_html, "MAX_TABLE_ROWS", 9)
    page = page_of(score_set(THREE))
    assert len(rows_of(section(page, "All cases"))) == 9
    assert "leaves out the last 9 cases" in page


@pytest.fixture
def pictures():
    reference = np.zeros((40, 40), np.uint8)
    reference[10:20, 10:20] = 2
    slices = MaskSlices(reference, {"low": np.roll(reference, 2), "<high>": None}, (1.0, 1.0), 7, 30)
    return picture(Disagreement("case-1", False, {"low": 0.25}), slices, COLOURS)


def test_pictures_show_the_reference_and_each_folder(pictures):
    page = page_of(score_set(THREE), pictures=[pictures])
    assert "Shown because the mean Dice over the labels of low is 0.250; axial slice 7 of 30." in page
    assert re.findall(r"<strong>([^<]+)</strong> <span class=\"interval\">([^< ]+(?: [^< ]+)*)", page) == [
        ("Reference", "\u00a0"),
        ("low", "Dice 0.250"),
        ("&lt;high&gt;", "no valid mask"),
    ]
    assert page.count('class="mask"') == 2
    assert 'href="#pictures"' in page


def test_every_link_leads_to_an_anchor_and_nothing_is_loaded(pictures):
    page = page_of(score_set(THREE), score_set_2026(THREE), pictures=[pictures])
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(ids)
    others = re.findall(r'(?:src|href)="(?!#|data:|https://)([^"]+)', page)
    assert others == ["../report.html?from=scores", "../cohort/cohort.html?from=scores"]
    assert not re.findall(r'<(?:script|img|link|iframe)[^>]+(?:src|href)="http', page)


def test_the_page_is_well_formed_and_reproducible():
    class Balance(HTMLParser):
        open: list[str] = []  # noqa: RUF012

        def handle_starttag(self, tag, attrs):  # noqa: ARG002
            if tag not in ("meta", "link", "input", "br"):
                self.open.append(tag)

        def handle_endtag(self, tag):
            assert self.open.pop() == tag

    page = page_of(score_set(THREE), score_set_2026(THREE))
    Balance().feed(re.sub(r"<(path|circle)[^>]*/>", "", page))
    assert page == page_of(score_set(THREE), score_set_2026(THREE))
