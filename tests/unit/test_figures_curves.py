import json

import pandas as pd
import pytest

from tumorseg.errors import UserError
from tumorseg.figures.curves import learning_curves
from tumorseg.figures.folds import Fold, read_folds

REFUSED = {"epoch": 3, "file": "epoch-0003.pt", "problems": [{"code": "digest_mismatch", "message": "another file"}]}


def history(epochs: int) -> pd.DataFrame:
    columns = ["train_loss", "validation_loss", "dice_WT", "dice_TC", "dice_ET"]
    return pd.DataFrame({"epoch": range(1, epochs + 1), **{column: [0.5] * epochs for column in columns}})


def selection(fold: int = 0, epoch: int = 2, refused: tuple = (REFUSED,)) -> dict:
    return {"fold": fold, "epoch": epoch, "choose": "last", "refused": list(refused), "model": "m", "digest": "d"}


def fold(epochs: int = 3, **changes) -> Fold:
    return Fold.from_dict(history(epochs), selection(**changes))


def labelled(axes, label):
    return [line for line in axes.lines if line.get_label() == label]


def test_chosen_and_refused_epochs_are_marked_in_both_plots():
    for axes in learning_curves([fold()]).axes:
        assert list(labelled(axes, "chosen epoch")[0].get_xdata()) == [2, 2]
        assert list(labelled(axes, "refused epoch")[0].get_xdata()) == [3]


def test_a_refused_epoch_without_history_is_marked_within_the_plot():
    axes = learning_curves([fold(epochs=2)]).axes[0]
    assert axes.get_xlim()[1] > 3


def test_every_fold_has_its_row():
    figure = learning_curves([fold(fold=0), fold(fold=1, refused=())])
    assert [axes.get_title().split(":")[0] for axes in figure.axes] == ["Fold 0", "Fold 0", "Fold 1", "Fold 1"]
    assert not labelled(figure.axes[2], "refused epoch")


def test_a_single_epoch_is_a_visible_point():
    axes = learning_curves([fold(epochs=1, epoch=1, refused=())]).axes[0]
    assert labelled(axes, "training")[0].get_marker() == "o"
    assert axes.get_xlim() == (0.5, 1.5)


def test_many_epochs_have_no_markers():
    axes = learning_curves([fold(epochs=100, refused=())]).axes[0]
    assert labelled(axes, "training")[0].get_marker() in (None, "None")


def test_folds_are_read_in_order(tmp_path):
    for number in (1, 0):
        history(2).to_csv(tmp_path / f"{number}.csv", index=False)
        (tmp_path / f"{number}.json").write_text(json.dumps(selection(fold=number)))
    folds = read_folds([tmp_path / "1.csv", tmp_path / "0.csv"], [tmp_path / "1.json", tmp_path / "0.json"])
    assert [fold.fold for fold in folds] == [0, 1]
    assert folds[0].refused[0].codes == ("digest_mismatch",)


def test_a_history_without_selection_is_told(tmp_path):
    with pytest.raises(UserError, match="1 histories but 0 selections"):
        read_folds([tmp_path / "history.csv"], [])
