"""The resources of the rules fit the profiles."""

import re

import pytest
import yaml
from snakemake.settings.types import SharedFSUsage

from tests.support.builders import REPOSITORY

RULES = dict(
    re.findall(
        r"^ *rule (\w+):\n(.*?)(?=^ *rule |\Z)",
        "\n".join(path.read_text() for path in sorted((REPOSITORY / "workflow/rules").glob("*.smk"))),
        re.MULTILINE | re.DOTALL,
    )
)


def profile(name: str) -> str:
    return (REPOSITORY / f"workflow/profiles/{name}/config.yaml").read_text()


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_asks_for_more_resources_at_each_submission(rule):
    """A rule has no `retries`, since Snakemake would run them inside the first submission."""
    assert re.search(r"\*\*scaled\(mem_mb=\d+, runtime=\d+\)", RULES[rule])
    assert "retries:" not in RULES[rule]


def test_the_slurm_profile_lists_all_rules_that_use_a_gpu():
    users = {rule for rule, text in RULES.items() if re.search(r"\bgpu=", text)}
    assert {"train_epoch", "predict", "segment_batch"} <= users
    assert set(re.findall(r"^#   (\w+): \{slurm_partition", profile("slurm"), re.MULTILINE)) == users


@pytest.mark.parametrize("name", ["slurm", "workstation"])
def test_no_rule_exceeds_the_memory_of_a_profile(name):
    limits = dict(limit.split("=") for limit in yaml.safe_load(profile(name))["resources"])
    assert max(int(re.search(r"mem_mb=(\d+)", text)[1]) for text in RULES.values()) <= int(limits["mem_mb"])


@pytest.mark.parametrize("name", ["default", "workstation"])
def test_a_profile_shares_everything_except_the_cache_in_the_home_folder(name):
    shared = yaml.safe_load(profile(name))["shared-fs-usage"]
    assert {*SharedFSUsage.choices()} - {*shared} == {"source-cache", "none"}


def test_the_default_profile_is_beside_the_snakefile():
    assert (REPOSITORY / "profiles/default/config.yaml").samefile(REPOSITORY / "workflow/profiles/default/config.yaml")
