import json

import pandas as pd
import pytest

import figure
from tumorseg.plotting.heatmaps import confusion_matrix, format_percent, subset_dice
from tumorseg.task import load_task

TASK = load_task()

LABELS = ("0", "1", "2", "4")


def voxels(**rows) -> dict:
    """Return counts without errors, 100 voxels for each label, except for the given rows: `label_1=(0, 3, 1, 0)`."""
    table = {row: {column: 100 * (row == column) for column in LABELS} for row in LABELS}
    for name, row in rows.items():
        table[name.removeprefix("label_")] = dict(zip(LABELS, row, strict=True))
    return table


def cell_texts(table: dict) -> list[tuple[float, float, str]]:
    """Return column, row and text of the cells, from top to bottom."""
    (axes,) = confusion_matrix(table, TASK).axes
    return [(text.get_position()[0], round(text.get_position()[1]), text.get_text()) for text in axes.texts]


def ticks(table: dict, axis: str) -> list[str]:
    (axes,) = confusion_matrix(table, TASK).axes
    return [text.get_text() for text in getattr(axes, f"get_{axis}ticklabels")()]


def test_rows_are_the_reference_and_percentages_are_of_the_row():
    cells = cell_texts(voxels(label_1=(0, 1500, 500, 0)))
    shares, counts = ([cell for cell in cells if cell[1] == 0][start::2] for start in (0, 1))
    assert [text for *_, text in shares] == ["0.0 %", "75.0 %", "25.0 %", "0.0 %"]
    assert [text for *_, text in counts] == ["0", "1,500", "500", "0"]
    assert [column for column, *_ in counts] == [0, 1, 2, 3]


def test_cells_are_shaded_by_their_share_from_the_top_row_down():
    (axes,) = confusion_matrix(voxels(label_1=(0, 3, 1, 0)), TASK).axes
    shares = axes.collections[0].get_array()
    assert shares[0].tolist() == [0, 0.75, 0.25, 0]
    assert axes.yaxis_inverted()


def test_a_label_absent_from_all_references_is_reported():
    table = voxels(label_4=(0, 0, 0, 0))
    assert [text for _, row, text in cell_texts(table) if row == 2] == ["absent from all references"]
    assert ticks(table, "y")[2] == "4: enhancing tumour\n0 voxels"


def test_the_share_of_false_voxels_is_below_the_column():
    table = voxels()
    table["0"]["2"] = 300
    assert ticks(table, "x")[2] == "2: oedema\n400 voxels,\n75.0 % of them background"
    assert len(ticks(table, "y")) == 3


def test_a_label_that_is_never_predicted_is_reported():
    names = ticks(voxels(label_2=(100, 0, 0, 0)), "x")
    assert [name.endswith("(never predicted)") for name in names] == [False, False, True, False]


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0.0 %"), (0.0001, "< 0.1 %"), (0.0006, "0.1 %"), (0.5, "50.0 %"), (0.99951, "> 99.9 %"), (1, "100.0 %")],
)
def test_only_exact_zero_and_one_are_0_and_100_percent(share, text):
    assert format_percent(share) == text


def test_the_command_line_draws_the_matrix_of_a_summary(tmp_path):
    (tmp_path / "summary.json").write_text(json.dumps({"confusion": {"definition": "…", "voxels": voxels()}}))
    outputs = [tmp_path / "figure.png", tmp_path / "figure.pdf"]
    options = ["--summary", str(tmp_path / "summary.json"), "--settings", '{"dpi": 30}', "--task", "brats-glioma"]
    figure.main(["--name", "confusion_matrix", *options, "--output", *map(str, outputs)])
    assert [output.read_bytes()[:4] for output in outputs] == [b"\x89PNG", b"%PDF"]


def subset_scores(*rows) -> pd.DataFrame:
    """Return a table of subsets. rows: channels, whether trained, number of cases, and the Dice of all structures."""
    return pd.DataFrame(
        [
            {"channels": channels, "trained": trained, "cases": cases}
            | {f"dice_{name}": dice for name in TASK.structures}
            for channels, trained, cases, dice in rows
        ]
    )


def test_each_subset_shows_its_dice_and_the_change_to_all_channels():
    (axes,) = subset_dice(subset_scores(("t1,t1ce,t2,flair", "true", 5, 0.9), ("t1,t2", "true", 5, 0.5)), TASK).axes
    texts = [text.get_text() for text in axes.texts]
    assert len(texts) == 2 * len(TASK.structures)
    assert (texts[0], texts[-1]) == ("0.900", "0.500\n\u22120.400")
    assert [label.get_text() for label in axes.get_yticklabels()] == ["T1, T1CE, T2, FLAIR", "T1, T2"]


def test_untrained_subsets_and_unequal_numbers_of_cases_are_marked():
    (axes,) = subset_dice(subset_scores(("t1,t2", "true", 5, 0.9), ("t1", "false", 6, 0.5)), TASK).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["T1, T2 (5 cases)", "T1 * (6 cases)"]
    assert axes.texts[-1].get_text() == "0.500"  # no row has all channels


def test_means_of_other_cases_are_not_compared():
    (axes,) = subset_dice(subset_scores(("t1,t1ce,t2,flair", "true", 5, 0.9), ("t1,t2", "true", 6, 0.5)), TASK).axes
    assert axes.texts[-1].get_text() == "0.500"
