import pytest

from tumorseg.errors import UserError
from tumorseg.training.selection import describe_refused, select_epoch


def verified(epoch, ok=True):
    problems = [] if ok else [{"code": "digest_mismatch", "message": "is corrupted"}]
    return {"epoch": epoch, "ok": ok, "file": f"epoch-{epoch:04d}.pt", "problems": problems}


def test_the_last_valid_epoch_is_selected():
    assert select_epoch([verified(1), verified(2), verified(3, ok=False)], {}, "last") == 2


def test_the_best_valid_epoch_is_selected_by_validation_dice():
    dice = {1: 0.7, 2: 0.9, 3: 0.8}
    assert select_epoch([verified(1), verified(2, ok=False), verified(3)], dice, "best") == 3


def test_of_equally_good_epochs_the_earlier_is_selected():
    assert select_epoch([verified(2), verified(1)], {1: 0.8, 2: 0.8}, "best") == 1


def test_without_a_valid_epoch_the_error_names_every_file():
    with pytest.raises(UserError, match=r"(?s)epoch-0001\.pt.*Delete epoch-0002\.pt"):
        select_epoch([verified(1, ok=False), verified(2, ok=False)], {}, "last")


def test_a_refused_checkpoint_is_described_with_reason_and_remedy():
    assert describe_refused([verified(1), verified(3, ok=False)]) == [
        "epoch-0003.pt is corrupted. Delete epoch-0003.pt and run again to train that epoch and later ones again"
    ]
