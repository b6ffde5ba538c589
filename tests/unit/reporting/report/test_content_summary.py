from pathlib import Path

from tests.unit.reporting.report.test_content import REFUSED, manifest_row, report_content
from tumorseg.reporting.report.content import summary_text

REPORT = Path("results/report.html")


def dropped(number: int) -> dict:
    return manifest_row(f"bad-{number:02d}", problems="truncated", detail="too short")


def test_a_run_without_problems_in_full():
    assert summary_text(report_content(), REPORT).splitlines() == [
        "Cases: 3 used, 0 dropped",
        "Fold 0: trained on 1 case, 2 held out, epoch 2 selected (last valid checkpoint)",
        "Mean Dice of 2 cases:",
        "  0.500  WT: whole tumour",
        "  0.500  TC: tumour core",
        "  0.500  ET: enhancing tumour",
        "  0.500  Label 1: necrotic / non-enhancing core",
        "  0.500  Label 2: oedema",
        "  0.500  Label 4: enhancing tumour",
        "Report: results/report.html",
    ]


def test_a_refused_epoch_is_listed_with_its_problem():
    text = summary_text(report_content(refused=(REFUSED,)), REPORT)
    assert "  REFUSED: epoch 3: the file is not the one that was saved\n" in text


def test_a_label_that_is_never_predicted_is_a_warning():
    assert "WARNING: never predicted, but in the references: Label 2: oedema\n" in summary_text(
        report_content(predicted_voxels=0), REPORT
    )


def test_at_most_ten_dropped_cases_are_listed():
    text = summary_text(report_content(rows=tuple(dropped(number) for number in range(13))), REPORT)
    assert text.startswith("Cases: 3 used, 13 dropped\n  bad-00: truncated\n")
    assert "  bad-09: truncated\n  and 3 more, listed in the report\n" in text
