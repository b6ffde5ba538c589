import json

import pandas as pd
import pytest

from tumorseg.errors import UserError
from tumorseg.plotting.curves import learning_curves
from tumorseg.task import load_task
from tumorseg.training.fold_results import FoldResult, read_fold_results

TASK = load_task()
COLOURS = {1: "#d55e00", 2: "#56b4e9", 4: "#f0e442"}

REFUSED = {"epoch": 3, "file": "epoch-0003.pt", "problems": [{"code": "digest_mismatch", "message": "another file"}]}


def history(epochs: int, **columns) -> pd.DataFrame:
    known = dict.fromkeys(("train_loss", "validation_loss", "dice_WT", "dice_TC", "dice_ET"), 0.5)
    known["learning_rate"] = [0.1 / epoch for epoch in range(1, epochs + 1)]
    steps = {"steps": 10, "skipped_steps": 0, "nonfinite_steps": 0}
    return pd.DataFrame({"epoch": range(1, epochs + 1)}).assign(**{**known, **steps, **columns})


def selection(fold: int = 0, epoch: int = 2, refused: tuple = (REFUSED,)) -> dict:
    selected = {"fold": fold, "epoch": epoch, "select": "last", "refused": list(refused)}
    return {**selected, "execution": "cpu fp32", "model": "m", "digest": "d"}


def fold(epochs: int = 3, columns: dict | None = None, **changes) -> FoldResult:
    return FoldResult.from_dict(history(epochs, **(columns or {})), selection(**changes))


def labelled(axes, label):
    return [line for line in axes.lines if line.get_label() == label]


def bars(axes) -> list[list[tuple[float, float, float]]]:
    """Return the epoch, the lower and the upper end of each bar, by reason."""
    return [
        [(lower[0], lower[1], upper[1]) for lower, upper in collection.get_segments()]
        for collection in axes.collections
    ]


def test_selected_and_refused_epochs_are_marked_in_every_plot():
    figure = learning_curves([fold()], TASK, COLOURS)
    assert len(figure.axes) == 3
    for axes in figure.axes:
        assert list(labelled(axes, "selected epoch")[0].get_xdata()) == [2, 2]
        assert list(labelled(axes, "refused epoch")[0].get_xdata()) == [3]


def test_a_refused_epoch_without_history_is_marked_within_the_plot():
    axes = learning_curves([fold(epochs=2)], TASK, COLOURS).axes[0]
    assert axes.get_xlim()[1] > 3


def test_every_fold_has_a_row():
    figure = learning_curves([fold(fold=0), fold(fold=1, refused=())], TASK, COLOURS)
    assert [axes.get_title("left") for axes in figure.axes] == ["Fold 0", "", "", "Fold 1", "", ""]
    assert labelled(figure.axes[0], "refused epoch")
    assert not labelled(figure.axes[3], "refused epoch")


def test_a_single_fold_is_not_numbered():
    assert learning_curves([fold()], TASK, COLOURS).axes[0].get_title("left") == ""


def test_without_skipped_steps_there_are_no_bars_and_the_title_says_so():
    *_, rate = learning_curves([fold()], TASK, COLOURS).axes
    assert rate.get_title("right") == "none of 30 steps skipped"
    assert not rate.collections


def test_skipped_steps_are_stacked_bars_below_the_learning_rate():
    skipped = {"skipped_steps": [2, 0, 1], "nonfinite_steps": [1, 3, 0]}
    *_, rate, strip = learning_curves([fold(columns=skipped)], TASK, COLOURS).axes
    assert rate.get_title("right") == "7 of 30 steps skipped"
    assert bars(strip) == [[(1, 0, 2), (3, 0, 1)], [(1, 2, 3), (2, 0, 3)]]
    assert strip.get_position().y0 < rate.get_position().y0


def test_only_reasons_that_occur_are_in_the_legend():
    figure = learning_curves([fold(columns={"skipped_steps": [2, 0, 1]})], TASK, COLOURS)
    assert [text.get_text() for text in figure.axes[-1].get_legend().get_texts()] == ["gradient scaler"]


def test_a_constant_learning_rate_is_written_and_not_drawn():
    _, dice = learning_curves([fold(columns={"learning_rate": 0.001})], TASK, COLOURS).axes
    assert dice.get_title("right") == "learning rate 0.001, none of 30 steps skipped"
    skipped = {"learning_rate": 0.001, "skipped_steps": [2, 0, 1]}
    figure = learning_curves([fold(columns=skipped), fold(fold=1, columns=skipped)], TASK, COLOURS)
    strip = figure.axes[2]
    assert strip.get_title("right") == "learning rate 0.001, 3 of 30 steps skipped"
    assert bars(strip) == [[(1, 0, 2), (3, 0, 1)], []]


def test_a_region_has_the_colour_of_its_label():
    dice = learning_curves([fold()], TASK, COLOURS).axes[1]
    assert [labelled(dice, region)[0].get_color() for region in ("WT", "TC", "ET")] == ["#56b4e9", "#d55e00", "#f0e442"]


def test_a_single_epoch_is_a_visible_point():
    axes = learning_curves([fold(epochs=1, epoch=1, refused=())], TASK, COLOURS).axes[0]
    assert labelled(axes, "training")[0].get_marker() == "o"
    assert axes.get_xlim() == (0.5, 1.5)


def test_of_many_epochs_some_have_a_marker():
    axes = learning_curves([fold(epochs=100, refused=())], TASK, COLOURS).axes[0]
    assert labelled(axes, "training")[0].get_markevery() == 5


def test_folds_are_read_in_order(tmp_path):
    for number in (1, 0):
        history(2).to_csv(tmp_path / f"{number}.csv", index=False)
        (tmp_path / f"{number}.json").write_text(json.dumps(selection(fold=number)))
    folds = read_fold_results([tmp_path / "1.csv", tmp_path / "0.csv"], [tmp_path / "1.json", tmp_path / "0.json"])
    assert [fold.fold for fold in folds] == [0, 1]
    assert folds[0].refused[0].codes == ("digest_mismatch",)


def test_a_history_without_selection_is_reported(tmp_path):
    with pytest.raises(UserError, match="1 histories and 0 selections"):
        read_fold_results([tmp_path / "history.csv"], [])
