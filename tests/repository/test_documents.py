"""The documentation: links and names are valid, and generated parts are current."""

import doctest
import re
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

import tumorseg
from tests import screenshot
from tests.support import documents
from tests.support.builders import REPOSITORY, trained_on
from tumorseg.clinical.measures import diameter_measures
from tumorseg.cohort.manifest import manifest_columns
from tumorseg.cohort.splits import SPLIT_COLUMNS
from tumorseg.configuration.postprocessing_candidates import no_postprocessing
from tumorseg.documentation.api import PUBLIC, as_markdown, signature
from tumorseg.documentation.pages import current_pages, fill
from tumorseg.evaluation.postprocessing_choice import Choices, gain_table
from tumorseg.evaluation.postprocessing_masks import SCORES
from tumorseg.evaluation.postprocessing_report import candidate_table
from tumorseg.inference.channel_subsets import subset_table
from tumorseg.io.tables import read_table
from tumorseg.learning_curve.score_tables import SUMMARY_COLUMNS
from tumorseg.learning_curve.subsets import SUBSET_COLUMNS
from tumorseg.metrics.bootstrap import Bootstrap
from tumorseg.metrics.registry import columns, metrics
from tumorseg.networks.subset_scores import SubsetScore
from tumorseg.segmentation.results import PatientResult, write_volume_table
from tumorseg.task import load_task
from tumorseg.training.selection import history_table

README = "README.md"
TASK = load_task()
RULES = {
    name
    for file in (REPOSITORY / "Snakefile", *(REPOSITORY / "workflow/rules").glob("*.smk"))
    for name in re.findall(r"^rule (\w+):", file.read_text(), re.MULTILINE)
}
pages = pytest.mark.parametrize("page", documents.PAGES)


def test_generated_parts_are_current():
    pages = current_pages(REPOSITORY)
    assert len(pages) > 4
    stale = [path.name for path, text in pages.items() if path.read_text(encoding="utf-8") != text]
    assert stale == [], "run `make docs`"


def test_the_readme_is_short():
    text = documents.text_of(README)
    assert len(text.splitlines()) <= 150
    assert len(text.split()) <= 1000


def test_the_readme_links_to_every_page():
    assert {page for page in documents.PAGES if page != README} <= set(documents.links(README))


@pages
def test_every_link_leads_to_an_existing_file_and_heading(page):
    for link in documents.links(page):
        if "://" not in link:
            target, _, anchor = link.partition("#")
            path = (REPOSITORY / page).parent / target if target else REPOSITORY / page
            assert path.exists(), f"{page} links to {link}: there is no such file"
            if anchor:
                assert anchor in documents.anchors(path.resolve()), f"{page} links to {link}: there is no such heading"


@pages
def test_every_comment_above_a_block_is_known_and_has_a_value(page):
    for block in documents.blocks(page):
        assert block.mark in ("", *documents.MARKS)
        assert bool(block.mark) == bool(block.value.strip())


@pytest.mark.parametrize("page", [page for page in documents.PAGES if page != "CHANGELOG.md"])  # names old settings
def test_named_settings_exist(page):
    configuration = yaml.safe_load((REPOSITORY / "config.yaml").read_text())
    schema = yaml.safe_load((REPOSITORY / "workflow/schemas/config.schema.yaml").read_text())["properties"]
    named = re.findall(rf"`({'|'.join(configuration)})\.(\w+)[`:]", documents.prose(page))
    assert [f"{section}.{key}" for section, key in named if key not in schema[section]["properties"]] == []


@pages
def test_named_files_exist(page):
    named = re.findall(r"`((?:workflow|scripts|envs|tests)/[\w./-]+)`", documents.prose(page))
    assert [name for name in named if not (REPOSITORY / name).exists()] == []


def test_the_targets_of_the_readme_are_rules():
    section = documents.text_of(README).split("## Targets")[1].split("\n## ")[0]
    targets = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
    assert len(targets) > 10
    assert set(targets) <= RULES
    stages = documents.text_of("workflow/docs/results.md").split("\n## ")[0]
    assert sorted(re.findall(r"^\| `(\w+)` \|", stages, re.MULTILINE)) == sorted(targets)


def volumes_columns(folder: Path) -> list[str]:
    write_volume_table(folder / "volumes.tsv", [PatientResult("a")], TASK.structures, diameter_measures(TASK))
    return list(read_table(folder / "volumes.tsv"))


def subset_columns(_: Path) -> list[str]:
    score = SubsetScore(TASK.channel_names, 1, dict.fromkeys(TASK.structures, 1.0))
    return list(subset_table([score], [trained_on()]))


def postprocessing_tables() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the table of candidates and the table of gains for a single case."""
    structures = len(TASK.structures)
    bootstrap = Bootstrap(["a"], confidence=0.9, samples=1, seed=1)
    gains = gain_table(np.ones((1, 2, structures, len(SCORES))), np.ones((1, structures), bool), bootstrap, TASK)
    return candidate_table(np.ones((1, 1, structures)), [no_postprocessing(TASK)], Choices({}, 0), TASK), gains


@pytest.mark.parametrize(
    ("page", "heading", "columns_in"),
    [
        ("results", "### `results/cohort/manifest.tsv`", lambda _: manifest_columns(TASK)),
        ("results", "### `results/cohort/splits.tsv`", lambda _: SPLIT_COLUMNS),
        ("results", "### `results/training/fold-0/history.csv`", lambda _: history_table([], TASK)),
        ("results", "### `results/evaluation/channel_subsets.csv`", subset_columns),
        ("results", "### `results/postprocessing/candidates.csv`", lambda _: postprocessing_tables()[0]),
        ("results", "### `results/postprocessing/gains.csv`", lambda _: postprocessing_tables()[1]),
        ("learning_curve", "### `results/learning_curve/summary.csv`", lambda _: SUMMARY_COLUMNS),
        ("learning_curve", "### `results/learning_curve/subsets.tsv`", lambda _: SUBSET_COLUMNS),
        ("segmenting", "## Results", volumes_columns),
        ("scores", "## Tables", lambda _: ["case", "fold", "channels", "region", *columns()]),
    ],
)
def test_the_columns_of_a_table_are_those_of_its_file(page, heading, columns_in, tmp_path):
    section = documents.text_of(f"workflow/docs/{page}.md").split(f"\n{heading}\n")[1].split("\n#")[0]
    rows = re.findall(r"^\| (`.+?) \|", section, re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    # A row may name the first of several columns: `label_1`, …; or the first and the last: `dice` to `hd95`.
    series = {re.sub(r"WT|label_\d+", "", name) for row in rows if "…" in row for name in re.findall(r"`(\w+)`", row)}
    scores = {metric.name for metric in metrics()} if any(" to " in row for row in rows) else set()
    found = set(columns_in(tmp_path))
    assert named <= found
    assert {name for name in found - named - scores if re.sub(r"WT|TC|ET|label_\d+", "", name) not in series} == set()


def test_the_screenshot_is_small():
    path = REPOSITORY / screenshot.PICTURE
    assert path.stat().st_size < 100_000
    with Image.open(path) as picture:
        assert picture.height <= screenshot.HEIGHT


def test_the_screenshot_was_taken_after_the_last_change_of_its_templates():
    recorded = (REPOSITORY / screenshot.DIGESTS).read_text().splitlines()
    changed = [line.split()[1] for line in screenshot.template_digests(REPOSITORY).splitlines() if line not in recorded]
    assert changed == [], "run `make screenshot`"


@pytest.mark.parametrize(("module", "name"), [(module, name) for module, names in PUBLIC.items() for name in names])
def test_a_public_name_is_documented_and_its_example_runs(module, name):
    public = getattr(import_module(module), name)
    assert public.__doc__
    globs = {**vars(import_module(public.__module__)), "tumorseg": tumorseg}
    for test in doctest.DocTestFinder(recurse=False).find(public, name, globs=globs):
        assert doctest.DocTestRunner().run(test).failed == 0


def scale(
    image: list[float], /, factor: float = 2.0, *, clip_percentiles: tuple[float, float] = (0.5, 99.5), seed: int
) -> list[float]: ...


def test_a_long_signature_has_a_line_for_each_argument():
    assert signature("scaled", scale).splitlines() == [
        "scaled(",
        "    image: list[float],",
        "    factor: float = 2.0,",
        "    *,",
        "    clip_percentiles: tuple[float, float] = (0.5, 99.5),",
        "    seed: int,",
        ") -> list[float]",
    ]


def test_a_docstring_becomes_markdown():
    docstring = """Return a sum.

    Args:
        a: a number,
            or two.
        *more: others.

    Returns:
        The sum.

    Example:
        >>> 1 + 1
        2
    """
    assert as_markdown(docstring).split("\n\n") == [
        "Return a sum.",
        "**Args**",
        "- `a`: a number, or two.\n- `*more`: others.",
        "**Returns**",
        "The sum.",
        "**Example**",
        "```python\n>>> 1 + 1\n2\n```",
    ]


def test_an_unknown_generated_part_is_an_error():
    with pytest.raises(KeyError, match="weather"):
        fill("<!-- generated: weather -->\n<!-- end -->")
