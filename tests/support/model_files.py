"""Write model files with deliberate changes, as an attacker might."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from safetensors.torch import save

from tests.support.builders import architecture, model_card
from tumorseg.errors import UserError
from tumorseg.networks import model
from tumorseg.networks.factory import build
from tumorseg.networks.model import read_model, write_model
from tumorseg.networks.starter import write_digest

TINY = architecture()


def weights_of(network):
    return {name: tensor.contiguous() for name, tensor in network.state_dict().items()}


def write_model_file(path, card=None, weights=None, edited=None, **header):
    """Write a model file with any card and weights and a valid digest, and return its path.

    edited: text that replaces the card after the digest was computed.
    """
    content = asdict(model_card(TINY)) if card is None else card
    weights = weights_of(build(TINY)) if weights is None else weights
    text = json.dumps(content, sort_keys=True)
    own = {"format": model.FORMAT, "digest": model._digest(weights, text), "card": edited or text} | header
    path.write_bytes(save(weights, metadata={"tumorseg": json.dumps(own)}))
    return path


def with_changed_entry(section, key, value):
    """Return the card of a valid model with one changed value. section: None for the card itself."""
    content = json.loads(json.dumps(asdict(model_card(TINY))))
    (content if section is None else content[section])[key] = value
    return content


def read_error(path) -> str:
    with pytest.raises(UserError) as caught:
        read_model(Path(path))
    assert str(path) in str(caught.value)
    return str(caught.value)


STARTER_SCORES = "Mean Dice on 3 invented cases: whole tumour 0.12."


def write_starter(folder, card=None) -> Path:
    """Write a tiny starter model with its SHA-256 to a folder, and return its path. card: of the model."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "starter.safetensors"
    card = card or model_card(TINY)
    write_model(path, build(card.architecture).eval(), replace(card, starter_scores=STARTER_SCORES), half=True)
    write_digest(path)
    return path
