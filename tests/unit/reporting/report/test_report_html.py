import base64
import gzip
import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imsave

from tests.support.score_sets import score_set_2026, scores_of
from tests.unit.cohort.test_overview import TASK
from tests.unit.reporting.report.test_content import CONFIGURATION, REFUSED, manifest_row, report_content, results
from tumorseg.provenance.run_facts import RunFacts
from tumorseg.reporting.report.content import collect_report_content
from tumorseg.reporting.report.embedded_images import EmbeddedStrip, embed_figure
from tumorseg.reporting.report.report_html import render_report
from tumorseg.reporting.report.structures import distinct_structures
from tumorseg.task import built_in_tasks, load_task

RUN = RunFacts("2026-01-02 03:04 UTC", "c0ffee", "a machine", {"Python": "3.11.7"})
STRIP = EmbeddedStrip("data:image/webp;base64,QUJD", 320, 64)
PAGES = {"cohort/cohort.html?from=report", "scores/scores.html?from=report"}
VOID = {"meta", "link", "img", "br", "input"}


class Outline(HTMLParser):
    """The tags of a page with their attributes, in order; raises if they are not nested."""

    def __init__(self, page: str):
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[str] = []
        self.feed(page)
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def all(self, *names: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag in names]


def page_of(content, *, figures=(), strips=None, figure_cases=(), viewer=None, task=TASK, configuration=CONFIGURATION):
    return render_report(
        content,
        RUN,
        task=task,
        figures=figures,
        strips=strips or {},
        figure_cases=figure_cases,
        viewer=viewer,
        table=b"case,dice\na,0.5\n",
        codes={"evaluate": "d1ge57  numpy 2.4.6"},
        configuration=configuration,
    )


@pytest.fixture
def figure(tmp_path: Path) -> Path:
    path = tmp_path / "overlays.png"
    imsave(path, np.zeros((3, 5, 3)))
    return path


@pytest.fixture
def page(figure: Path) -> str:
    row = manifest_row("d", problems="truncated", detail="<script>alert(1)</script>")
    content = report_content(
        refused=(REFUSED,), rows=(row, manifest_row("e", warnings="no_enhancing_tumour")), predicted_voxels=0
    )
    return page_of(content, figures=[embed_figure(figure, TASK)], strips={"a": STRIP}, figure_cases=["b"])


def test_nothing_is_fetched_from_elsewhere(page):
    outline = Outline(page)
    assert outline.all("iframe", "object") == []
    assert all("src" not in attributes for attributes in outline.all("script"))
    for attributes in outline.all("img", "link", "a"):
        address = attributes.get("src") or attributes.get("href")
        assert address.startswith(("data:", "#")) or address in PAGES
    assert "@import" not in page
    assert "url(" not in page


def test_text_from_files_is_never_markup(page):
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "data/&lt;BraTS&gt;" in page


def test_every_link_has_a_target(page):
    outline = Outline(page)
    targets = {attributes.get("id") for _, attributes in outline.tags}
    links = {attributes["href"] for attributes in outline.all("a") if "download" not in attributes} - PAGES
    assert {link.removeprefix("#") for link in links} <= targets


def test_no_heading_level_is_skipped(page):
    levels = [int(tag[1]) for tag, _ in Outline(page).tags if tag in {"h1", "h2", "h3", "h4"}]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))


def test_tables_and_images_are_accessible(page):
    outline = Outline(page)
    assert outline.all("html")[0]["lang"] == "en-GB"
    assert all(attributes.get("scope") in {"col", "row"} for attributes in outline.all("th"))
    assert all(attributes["alt"] for attributes in outline.all("img"))


def test_ids_are_unique(page):
    ids = [attributes["id"] for _, attributes in Outline(page).tags if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_alerts_come_first(page):
    assert page.index("Please note") < page.index('id="scores"')
    assert "epoch 3 was refused" in page
    assert "Please note" not in page_of(report_content())


def test_the_sections_are_in_the_order_of_interest(page):
    headings = re.findall(r'<h2 id="([^"]+)"', page)
    expected = ["alerts", "scores", "cases", "failures", "figures", "training", "cohort", "methods", "run"]
    assert headings == expected
    assert page.index('id="figures"') < page.index('id="overlays"') < page.index('id="training"')


def test_the_cohort_page_is_linked_and_the_scores_only_for_who_comes_from_them(page):
    items = {attributes["data-page"]: attributes for attributes in Outline(page).all("li") if "data-page" in attributes}
    assert {name: "hidden" in attributes for name, attributes in items.items()} == {"cohort": False, "scores": True}


def test_rows_and_figures_are_linked(page):
    outline = Outline(page)
    assert [image["alt"] for image in outline.all("img") if image.get("class") == "strip"] == [
        "T1CE, FLAIR, reference, prediction, comparison of a"
    ]
    rows = {attributes["id"] for attributes in outline.all("tr") if "id" in attributes}
    assert {"case-1", "case-2"} <= rows
    links = [attributes["href"] for attributes in outline.all("a")]
    assert links.count("#case-2") == 1  # of the case in the figures
    assert links.count("#case-1") == 1  # of the worst case


def test_a_score_defined_by_convention_is_in_brackets():
    assert '<td data-value="0.5">(0.500)</td>' in page_of(report_content(reference_voxels=0))
    assert "(0.500)" not in page_of(report_content())


def test_large_and_negative_numbers_have_separators_and_a_minus_sign():
    content = report_content(volume_error_mm3=-11_844_200.0, reference_mm3=2_500_000)
    page = page_of(replace(content, few=False))
    assert "<td>−11,844.20 <span" in page
    assert ">−11,844.20 to −11,844.20</span>" in page
    assert '<td data-value="2500">2,500.0</td>' in page


def test_all_scores_can_be_downloaded_from_the_page(page):
    (link,) = [attributes for attributes in Outline(page).all("a") if attributes.get("download") == "cases.csv.gz"]
    assert gzip.decompress(base64.b64decode(link["href"].split(",")[1])) == b"case,dice\na,0.5\n"


def test_the_page_has_its_provenance(page):
    for text in ("2026-01-02 03:04 UTC", "c0ffee", "a machine", "Python 3.11.7", "d1ge57", "numpy 2.4.6", "cpu fp32"):
        assert text in page


def test_the_selected_epoch_is_marked_in_the_history(page):
    assert '<tr class="selected"><th scope="row">2 (selected)</th><td>0.5123</td>' in page


def test_the_history_does_not_depend_on_the_order_of_columns():
    content = report_content()
    fold = content.folds[0].fold
    history = fold.history[["learning_rate", "epoch", "train_loss"]].assign(learning_rate=2.0)
    page = page_of(replace(content, folds=[replace(content.folds[0], fold=replace(fold, history=history))]))
    columns = "".join(f'<th scope="col">{name}</th>' for name in ("epoch", "learning rate", "train loss"))
    assert f"<thead><tr>{columns}</tr></thead>" in page
    assert '<tr class="selected"><th scope="row">2 (selected)</th><td>2</td><td>0.5123</td></tr>' in page
    assert '<tr><th scope="row">1</th><td>2</td><td>0.9</td></tr>' in page


def test_every_refused_checkpoint_is_listed_with_what_to_do():
    other = {**REFUSED, "epoch": 1, "file": "results/training/fold-0/epoch-0001.pt"}
    page = page_of(report_content(refused=(REFUSED, other)))
    for file in (REFUSED["file"], other["file"]):
        assert f"Delete <code>{file}</code> and run again" in page


def test_a_refused_checkpoint_must_also_be_deleted_from_the_shared_cache(tmp_path):
    (tmp_path / "kept.pt").touch()
    (tmp_path / "epoch.pt").symlink_to(tmp_path / "kept.pt")
    page = page_of(report_content(refused=({**REFUSED, "file": str(tmp_path / "epoch.pt")},)))
    assert f"Delete <code>{tmp_path}/epoch.pt</code> and <code>{tmp_path}/kept.pt</code> and run again" in page


def test_equal_facts_give_equal_pages(page, figure):
    row = manifest_row("d", problems="truncated", detail="<script>alert(1)</script>")
    content = report_content(
        refused=(REFUSED,), rows=(row, manifest_row("e", warnings="no_enhancing_tumour")), predicted_voxels=0
    )
    assert page_of(content, figures=[embed_figure(figure, TASK)], strips={"a": STRIP}, figure_cases=["b"]) == page


def test_a_long_table_is_collapsed():
    content = report_content(rows=tuple(manifest_row(f"w{number}", warnings="saturated") for number in range(21)))
    assert page_of(content).count("<details>") == page_of(report_content()).count("<details>") + 1


def test_few_cases_are_points_instead_of_intervals():
    few, many = (page_of(replace(report_content(), few=few)) for few in (True, False))
    assert "0.500 to 0.500" in many
    assert "0.500 to 0.500" not in few
    assert 'class="points"' not in many
    assert 'aria-label="Each case: 0.500, 0.500"' in few
    assert "2 cases are too few for intervals" in few


def test_the_main_table_has_a_row_for_each_structure_and_six_scores(page):
    table = page[page.index("<table") : page.index("</table>")]
    assert re.findall(r'<th scope="row">([^<\n]+)', table) == list(distinct_structures(TASK).values())
    assert re.findall(r'<th scope="col">([^<]+)', table) == [
        "Structure",
        "Dice",
        "Surface Dice",
        "HD95 as in BraTS, mm",
        "Lesion-wise Dice ",
        "Lesion-wise HD95, mm ",
        "Volume error, ml",
    ]


def test_other_columns_of_the_table_of_cases_are_hidden_at_first(page):
    heads = [attributes.get("data-score") for attributes in Outline(page).all("th") if "data-sort" in attributes]
    hidden = re.findall(r"#every-case-table tr > :nth-child\((\d+)\)", page)
    # The thumbnails are a column without a heading to sort by.
    shown = [score for number, score in enumerate(heads, start=2) if str(number) not in hidden]
    assert shown == [None, *["dice"] * 4, "volumes", "volumes"]
    assert {"patient", "lesionwise_dice", "hd95"} <= set(heads)


@pytest.mark.parametrize("name", built_in_tasks())
def test_the_report_names_only_its_task_and_structures_of_it(name):
    task = load_task(name)
    colours = {f"label_{label.value}": label.colour for label in task.labels}
    configuration = {**CONFIGURATION, "figures": {**CONFIGURATION["figures"], "colours": colours}}
    page = page_of(report_content(task=task), strips={"a": STRIP}, task=task, configuration=configuration)
    Outline(page)
    assert f"Task: {task.title} (<code>{name}</code>)" in page
    for structure in report_content(task=task).structures.values():
        assert f'<th scope="row">{structure.name}</th>' in page
    others = {title for other in map(load_task, built_in_tasks()) for title in other.structure_titles.values()}
    foreign = others - set(task.structure_titles.values())
    assert [title for title in foreign if f": {title}<" in page] == []


def test_the_report_names_the_label_map():
    page = page_of(report_content(), task=TASK.with_label_map({1: 2, 2: 1, 3: 4}))
    assert "<code>cohort.label_map</code>: 1 as 2 (oedema), 2 as 1" in page
    assert "<code>cohort.label_map</code>" not in page_of(report_content())


def page_with_2026():
    table = scores_of(0.5, ["a", "b"])
    scored = score_set_2026({"run": table})
    run = replace(results(), scores_2026=scored.tables["run"], summary_2026=scored.summaries["run"])
    return page_of(collect_report_content(run, CONFIGURATION, TASK, patients_from_names=True))


def test_scores_of_2026_have_a_part_of_their_own_with_how_cases_count():
    first, second = page_with_2026().split('<h3 id="scores-2026">')
    second = second.split("How far to trust")[0]
    assert "Lesion F1" not in first.split("<main>")[1]
    assert "Lesion-wise" not in second
    assert "Lesion F1" in second
    assert second.count('<svg class="plot"') == 4 * len(TASK.region_labels)
    assert "<dt>Missing prediction</dt><dd>Counts as the worst value of each score, 0 or 373" in second
    assert "<dt>Cases without a value</dt>" in second
    assert "<dt>Missing prediction</dt><dd>Counts as the worst value of each score, 0 or 374 mm" in first


def test_a_run_without_scores_of_2026_names_none(page):
    assert "scores-2026" not in page
