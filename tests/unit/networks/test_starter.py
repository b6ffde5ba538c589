"""The word `starter`, and the starter model that comes with the workflow."""

from pathlib import Path

import pytest
import yaml

from tests.support.builders import REPOSITORY, TASK
from tests.support.model_files import STARTER_SCORES, write_starter
from tumorseg.configuration.task_validation import fill_task_defaults
from tumorseg.errors import UserError
from tumorseg.io.digests import sha256
from tumorseg.networks import starter
from tumorseg.networks.held_out_quality import read_held_out_cases, reliability_path
from tumorseg.networks.model import read_model
from tumorseg.networks.notices import STARTER_MODEL_WARNING

SHIPPED = REPOSITORY / "workflow/models/starter.safetensors"


@pytest.fixture
def models(tmp_path, monkeypatch):
    monkeypatch.setattr(starter, "MODELS_FOLDER", tmp_path / "models")
    return tmp_path / "models"


def test_the_word_means_the_model_that_comes_with_the_workflow(models):
    path = write_starter(models)
    assert starter.model_path("starter") == path
    assert read_model(path)[1].notice.text == f"{STARTER_MODEL_WARNING}. {STARTER_SCORES}"


@pytest.mark.parametrize("name", ["./starter", "results/model/fold-0.safetensors", "starter.safetensors"])
def test_any_other_name_is_a_path(name):
    assert starter.model_path(name) == Path(name)


@pytest.mark.usefixtures("models")
def test_a_missing_starter_model_is_an_error_with_a_remedy():
    with pytest.raises(UserError, match=r"has no starter model; restore the folder with .*, or use another model"):
        starter.model_path("starter")


def test_a_damaged_starter_model_is_refused(models):
    path = write_starter(models)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"the starter model is damaged .*; restore the folder with"):
        starter.model_path("starter")


def test_a_starter_model_without_its_digest_is_refused(models):
    starter.digest_file(write_starter(models)).unlink()
    with pytest.raises(UserError, match="is damaged"):
        starter.model_path("starter")


def test_the_library_links_to_the_models_of_the_repository():
    assert starter.MODELS_FOLDER == REPOSITORY / "workflow/models"


@pytest.mark.skipif(not SHIPPED.exists(), reason="this copy of the repository has no starter model")
def test_the_shipped_model_is_valid_small_and_the_recorded_one():
    assert starter.model_path("starter") == SHIPPED
    assert starter.digest_file(SHIPPED).read_text() == f"{sha256(SHIPPED)}  starter.safetensors\n"
    assert SHIPPED.stat().st_size <= 8_000_000
    _, card = read_model(SHIPPED)
    assert card.task.facts() == TASK.facts()
    assert card.notice.code == "starter_model"
    assert card.normalisation["spacing_mm"] == [2, 2, 2]
    assert all(card.trained_on.includes(subset) for subset in TASK.channel_subsets)


@pytest.mark.skipif(not SHIPPED.exists(), reason="this copy of the repository has no starter model")
def test_the_shipped_model_has_held_out_cases_for_the_settings_of_config_yaml():
    held_out = read_held_out_cases(reliability_path(SHIPPED), sha256(SHIPPED), TASK)
    assert len(held_out.cases) == 21
    settings = fill_task_defaults(yaml.safe_load((REPOSITORY / "config.yaml").read_text()), TASK)
    assert held_out.other_settings(settings["prediction"]) == []
