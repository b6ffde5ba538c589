import pytest

from tumorseg.configuration.targets import target_hint, target_mistakes


def test_a_setting_among_the_targets_is_told_where_it_belongs():
    (said,) = target_mistakes(["validate", "data=cases"], {})
    assert said == "data=cases is a setting, not a target: write --config data=cases, after all targets"


@pytest.mark.parametrize(
    ("targets", "given", "target"),
    [([], "patients", "segment"), (["all"], "references", "score"), (["segment"], "predictions", "score")],
)
def test_a_folder_that_no_target_reads_is_told(targets, given, target):
    (said,) = target_mistakes(targets, {given: "a folder"})
    assert said.endswith(f"write: snakemake {target} --config {given}=DIR")


@pytest.mark.parametrize("targets", [["segment"], ["report", "segment"], ["results/segmentations"]])
def test_a_folder_that_a_target_reads_is_none(targets):
    assert target_mistakes(targets, {"patients": "a folder", "data": "cases"}) == []


def test_a_target_that_does_not_exist_is_told_with_the_one_that_may_be_meant():
    assert target_hint("trian", ["train", "split"]) == "Did you mean train? `snakemake help` lists the targets."
    assert target_hint("xyz", ["train", "split"]) == "`snakemake help` lists the targets."
