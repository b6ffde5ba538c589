import pytest

from tumorseg.errors import UserError
from tumorseg.training.selection import describe_refused, select_epoch


def verdict(epoch, ok=True):
    problems = [] if ok else [{"code": "digest_mismatch", "message": "is corrupted"}]
    return {"epoch": epoch, "ok": ok, "file": f"epoch-{epoch:04d}.pt", "problems": problems}


def test_the_last_sound_epoch_is_chosen():
    assert select_epoch([verdict(1), verdict(2), verdict(3, ok=False)], {}, "last") == 2


def test_the_best_sound_epoch_is_chosen_by_validation_dice():
    dice = {1: 0.7, 2: 0.9, 3: 0.8}
    assert select_epoch([verdict(1), verdict(2, ok=False), verdict(3)], dice, "best") == 3


def test_of_equally_good_epochs_the_earlier_is_chosen():
    assert select_epoch([verdict(2), verdict(1)], {1: 0.8, 2: 0.8}, "best") == 1


def test_no_sound_epoch_stops_with_every_file_named():
    with pytest.raises(UserError, match=r"(?s)epoch-0001\.pt.*Delete epoch-0002\.pt"):
        select_epoch([verdict(1, ok=False), verdict(2, ok=False)], {}, "last")


def test_a_refusal_names_file_and_reason():
    assert describe_refused([verdict(1), verdict(3, ok=False)]) == [
        "epoch-0003.pt is corrupted. Delete epoch-0003.pt and run again to train that epoch and later ones anew"
    ]
