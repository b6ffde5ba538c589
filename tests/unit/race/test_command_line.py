"""The command line of the race."""

from pathlib import Path

import pytest
import torch

from tests.benchmarks.race import peers
from tests.benchmarks.race.command_line import main, race_options
from tumorseg.networks.devices import Execution

CPU = Execution(torch.device("cpu"), torch.float32)


def test_options_may_come_before_the_table():
    options = race_options(
        ["kept", "--training", "a", "--test", "b", "--methods", "monai,here", "--seeds", "4", "r.csv"]
    )
    assert (options.methods, options.seeds, options.minutes) == (["here", "monai"], [4], 8)
    assert race_options(["zero-shot", "m", "--test", "b", "--results", "r.csv"]).results == Path("r.csv")


def test_an_unknown_method_is_refused(capsys):
    with pytest.raises(SystemExit):
        race_options(["run", "r.csv", "--methods", "unet"])
    assert "there is no method unet; there are here, starter, nnunet, monai" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--seeds", "1,1", "1,1 is not a list of different numbers"),
        ("--seeds", "one", "one is not a list of different numbers"),
        ("--minutes", "long", "long is not a number above 0"),
        ("--minutes", "0", "0 is not a number above 0"),
    ],
)
def test_wrong_numbers_are_refused(option, value, message, capsys):
    with pytest.raises(SystemExit):
        race_options(["run", "r.csv", option, value])
    assert message in capsys.readouterr().err


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(SystemExit, match="there is no table"):
        main(["table", str(tmp_path / "none.csv")])


def test_methods_without_their_packages_are_refused_before_anything_runs(monkeypatch):
    monkeypatch.setattr(peers.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(SystemExit, match=r"not installed: monai; .*--methods"):
        peers.require_packages(["MONAI"])
