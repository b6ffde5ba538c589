import re

import pytest

from tests.support.score_sets import TASK, score_set, score_set_2026, scores_of
from tumorseg.evaluation.paper_tables import csv_table, latex_tables, latex_text

CASES = [f"case-{number}" for number in range(6)]
AWKWARD = r"[a_b] 50% & $x$ #1 ~^\<>"
FOLDERS = {"plain": scores_of(0.5, CASES), AWKWARD: scores_of(0.9, CASES)}
SETS = [score_set(FOLDERS, **{AWKWARD: {"missing": CASES[:2]}}), score_set_2026(FOLDERS)]


def test_the_table_has_a_row_for_each_main_score_region_and_folder():
    table = csv_table(SETS, TASK)
    assert len(table) == (4 + 4) * 3 * 2
    assert table["challenge"].unique().tolist() == ["", "BraTS 2023", "BraTS 2025 and 2026"]
    assert table.groupby("challenge")["score"].unique()["BraTS 2023"].tolist() == ["lesionwise_dice", "lesionwise_hd95"]


def test_numbers_have_the_digits_of_the_metric():
    table = csv_table(SETS, TASK).set_index(["score", "region", "folder"])
    dice, hd95 = table.loc[("dice", "WT", AWKWARD)], table.loc[("hd95", "WT", AWKWARD)]
    assert re.fullmatch(r"0\.\d{3}", dice["mean"])
    assert re.fullmatch(r"\d+\.\d", hd95["mean"])
    assert float(dice["difference"]) == pytest.approx(0.4, abs=0.001)
    assert (dice["p"], dice["p_holm"]) == ("0.031", "0.38")  # 2 / 2^6, and 12 times as much
    assert table.loc[("dice", "WT", "plain"), "difference"] == ""


def test_latex_escapes_names_and_has_one_table_for_each_set():
    text = latex_tables(SETS, TASK)
    assert text.count(r"\begin{tabular}{lrrrr}") == text.count(r"\end{tabular}") == 2
    assert r"{[a\_b] 50\% \& \$x\$ \#1 \textasciitilde{}\textasciicircum{}\textbackslash{}" in text
    assert "2 of [a\\_b]" in text
    first, second = text.split(r"\end{table}")[:2]
    assert "Lesion-wise Dice (BraTS 2023)" in first
    assert "2026" not in first
    assert "BraTS 2025 and 2026" in second
    assert "2023" not in second


def test_every_row_has_a_cell_for_each_column():
    rows = [
        line for line in latex_tables(SETS, TASK).splitlines() if line.endswith(r"\\") and "multicolumn" not in line
    ]
    assert len(rows) == 2 * (1 + 3 * 2)
    assert {len(re.findall(r"(?<!\\)&", row)) for row in rows} == {4}


def test_the_best_mean_is_bold_and_a_single_folder_has_none():
    rows = [line for line in latex_tables(SETS[:1], TASK).splitlines() if line.startswith("{")]
    assert [row.count(r"\textbf") for row in rows] == [0, 4] * 3
    alone = score_set({"plain": FOLDERS["plain"]})
    assert r"\textbf" not in latex_tables([alone], TASK)
    assert "Folder" in latex_tables([alone], TASK)


def test_scores_without_a_value_are_dashes():
    empty = score_set_2026({"a": scores_of(0.5, CASES).assign(dice=1.0), "b": scores_of(0.5, CASES)})
    rows = [line for line in latex_tables([empty], TASK).splitlines() if line.startswith("{a}")]
    assert rows == [r"{a} & -- & -- & -- & -- \\"] * 3
    table = csv_table([empty], TASK).set_index(["score", "region", "folder"])
    assert table.loc[("lesion_f1_2026", "WT", "a"), ["mean", "low"]].tolist() == ["", ""]


@pytest.mark.parametrize(("cases", "intervals"), [(9, False), (10, True)])
def test_intervals_need_ten_cases(cases, intervals):
    text = latex_tables([score_set({"a": scores_of(0.5, [f"case-{number}" for number in range(cases)])})], TASK)
    assert (" to 0." in text) == intervals
    assert ("95 \\% bootstrap interval" in text) == intervals


def test_a_mean_over_fewer_cases_has_their_number():
    some = scores_of(0.5, CASES)
    some.loc[some["case"].isin(CASES[:2]), "dice"] = 1.0  # without a value as scores of 2026
    text = latex_tables([score_set_2026({"a": some, "b": scores_of(0.5, CASES)})], TASK)
    assert "Cases without a value are left out; a cell then has its own n." in text
    rows = [line for line in text.splitlines() if line.startswith(("{a}", "{b}"))]
    assert ["n = 4" in row for row in rows] == [True, False] * 3


def test_plain_text_is_not_changed():
    assert latex_text("WT: whole tumour (n = 8)") == "WT: whole tumour (n = 8)"
