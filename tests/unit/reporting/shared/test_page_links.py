from tumorseg.reporting.shared.page_links import existing_pages, page_links


def test_addresses_are_relative_and_name_the_page_that_they_come_from():
    assert [link.address for link in page_links("scores")] == [
        "../report.html?from=scores",
        "../cohort/cohort.html?from=scores",
    ]
    assert [link.address for link in page_links("report")] == [
        "cohort/cohort.html?from=report",
        "scores/scores.html?from=report",
    ]


def test_only_pages_that_exist_are_shown_at_once(tmp_path):
    (tmp_path / "report.html").touch()
    links = page_links("scores", existing_pages(tmp_path))
    assert {link.name: link.exists for link in links} == {"report": True, "cohort": False}
