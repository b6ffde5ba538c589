import numpy as np
import pytest

from tumorseg.synthetic import contrasts
from tumorseg.synthetic.contrasts import draw_contrasts
from tumorseg.synthetic.requirements import CHANNELS


def draw(mode, monkeypatch, count=200):
    monkeypatch.setattr(contrasts, "MODES", {mode: 1.0})
    return [draw_contrasts(CHANNELS, np.random.default_rng(seed)) for seed in range(count)]


@pytest.mark.parametrize("mode", contrasts.MODES)
def test_the_relations_that_define_the_labels_hold_in_every_mode(mode, monkeypatch):
    for means in draw(mode, monkeypatch):
        assert means["t1ce"]["enhancing"] > max(means["t1ce"]["white"], means["t1ce"]["grey"])
        for channel in ("t2", "flair"):
            assert means[channel]["oedema"] > max(means[channel]["white"], means[channel]["grey"])


def test_realistic_contrasts_are_those_of_the_sequences(monkeypatch):
    for means in draw("realistic", monkeypatch):
        for channel in ("t1", "t1ce"):
            assert means[channel]["white"] > 0.9 * means[channel]["grey"] > means[channel]["csf"]
        assert means["t2"]["csf"] > means["t2"]["grey"] > means["t2"]["white"]
        assert means["flair"]["csf"] < means["flair"]["white"]


def test_wide_contrasts_spread_more_and_invented_ones_most(monkeypatch):
    ratios = [
        np.std([np.log(means["t1"]["grey"]) for means in draw(mode, monkeypatch)])
        for mode in ("realistic", "wide", "invented")
    ]
    assert 2 * ratios[0] < ratios[1] < ratios[2] / 1.5


def test_only_the_asked_channels_are_returned():
    assert list(draw_contrasts(("flair", "t1"), np.random.default_rng(1))) == ["flair", "t1"]
