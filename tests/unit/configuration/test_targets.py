import pytest

from tumorseg.configuration.targets import target_hint, target_mistakes


def test_a_setting_among_the_targets_is_reported():
    (sentence,) = target_mistakes(["validate", "data=cases"], {})
    assert sentence == "data=cases is a setting, not a target: write --config data=cases, after all targets"


@pytest.mark.parametrize(
    ("targets", "short_form", "target"),
    [([], "patients", "segment"), (["all"], "references", "score"), (["segment"], "predictions", "score")],
)
def test_a_folder_that_no_target_reads_is_reported(targets, short_form, target):
    (sentence,) = target_mistakes(targets, {short_form: "a folder"})
    assert sentence.endswith(f"write: snakemake {target} --config {short_form}=DIR")


@pytest.mark.parametrize("targets", [["segment"], ["report", "segment"], ["results/segmentations"]])
def test_a_folder_that_a_target_reads_is_no_mistake(targets):
    assert target_mistakes(targets, {"patients": "a folder", "data": "cases"}) == []


def test_an_unknown_target_is_reported_with_a_similar_one():
    assert target_hint("trian", ["train", "split"]) == "Did you mean train? `snakemake help` lists the targets."
    assert target_hint("xyz", ["train", "split"]) == "`snakemake help` lists the targets."
