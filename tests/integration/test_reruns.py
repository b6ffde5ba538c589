"""The rules that rerun after each change are those of workflow/docs/reruns.md."""

import os
import re
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.integration.other_settings import SETTINGS, write_sheet
from tests.integration.workflow import TINY, Workflow, copy_repository, edit
from tests.support.builders import REPOSITORY

pytestmark = pytest.mark.release

CASE = "BraTS-GLI-90001-000"
RESAMPLED = {**TINY["normalisation"], "spacing_mm": 6}  # synthetic cases need it
TIMES = {"": None, " once": 1, " twice": 2}


def sections() -> dict[str, list[tuple[str, str]]]:
    """Return the rows of the table below each heading of the page, without the header."""
    parts = re.split(r"^##? (.+)$", (REPOSITORY / "workflow/docs/reruns.md").read_text(), flags=re.MULTILINE)
    rows = {
        title: re.findall(r"^\| (.+?) \| (.+?) \|$", text, re.MULTILINE)
        for title, text in zip(parts[1::2], parts[2::2], strict=True)
    }
    return {title: table[2:] for title, table in rows.items()}


TABLES = sections()
STAGES = dict(TABLES["What runs again"])


def rules_of(cell: str) -> dict[str, int | None]:
    """Return the rules in a cell with stages resolved, and the number of jobs of each, or None if not stated."""
    found: dict[str, int | None] = {}
    if cell.startswith("nothing"):
        return found
    for stage in re.findall(r"\b[A-Z]{4,}\b", cell):
        found |= rules_of(STAGES[stage])
    return found | {rule: TIMES[times] for rule, times in re.findall(r"`(\w+)`( once| twice|)", cell)}


def change_image(run: Workflow) -> None:
    shutil.copy(run.folder / f"cohort/{CASE}/{CASE}-t2f.nii.gz", run.folder / f"cohort/{CASE}/{CASE}-t2w.nii.gz")


def add_case(run: Workflow) -> None:
    new = CASE.replace("90001", "95001")
    for path in (run.folder / "cohort" / CASE).iterdir():
        target = run.folder / "cohort" / new / path.name.replace(CASE, new)
        target.parent.mkdir(exist_ok=True)
        shutil.copy(path, target)


def remove_case(run: Workflow) -> None:
    shutil.rmtree(run.folder / "cohort" / CASE)


def repair(run: Workflow) -> None:
    truncated = CASE.replace("90001", "90005")
    valid = run.folder / f"cohort/{CASE}/{CASE}-t2f.nii.gz"
    shutil.copy(valid, run.folder / f"cohort/{truncated}/{truncated}-t2f.nii.gz")


def repair_with_an_older_date(run: Workflow) -> None:
    repair(run)
    long_ago = (run.folder / f"cohort/{CASE}/{CASE}-t1n.nii.gz").stat().st_mtime - 10**6
    for path in (run.folder / "cohort" / CASE.replace("90001", "90005")).iterdir():
        os.utime(path, (long_ago, long_ago))


def edit_split_file(run: Workflow) -> None:
    own = run.folder / "own.tsv"
    shutil.copy(run.results / "cohort/splits.tsv", own)
    run.configure({"cohort": {**TINY["cohort"], "split_file": "own.tsv"}, "demo": None})
    run.succeed("split")
    assert "split" not in run.planned()
    header, first, *rest = own.read_text().splitlines()
    case, patient, fold = first.split("\t")
    own.write_text("\n".join([header, f"{case}\t{patient}\t{-1 - int(fold)}", *rest]) + "\n")


def corrupt_checkpoint(run: Workflow) -> None:
    (run.results / "training/fold-0/epoch-0002.pt").write_bytes(b"corrupted")


def delete(*names: str) -> Callable[[Workflow], None]:
    def change(run: Workflow) -> None:
        for path in (run.results / name for name in names):
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    return change


def delete_one(pattern: str) -> Callable[[Workflow], None]:
    return lambda run: next(run.results.glob(pattern)).unlink()


FILES: dict[str, Callable[[Workflow], None]] = {
    "a raw file is touched, its content the same": lambda run: (
        run.folder / f"cohort/{CASE}/{CASE}-t1n.nii.gz"
    ).touch(),
    "an image of a case is changed": change_image,
    "a case is added": add_case,
    "a case is removed": remove_case,
    "a corrupted image is repaired": repair,
    "a corrupted image is replaced by a valid one with an older date": repair_with_an_older_date,
    "the split file is edited": edit_split_file,
    "a checkpoint is corrupted": corrupt_checkpoint,
    "the first checkpoint of three is deleted": delete("training/fold-0/epoch-0001.pt"),
    "the second checkpoint of three is deleted": delete("training/fold-0/epoch-0002.pt"),
    "a model is deleted": delete("model/fold-0.safetensors"),
    "the predictions are deleted": delete("predictions/fold-0"),
    "the scores are deleted": delete("evaluation/cases.csv"),
    "a figure is deleted": delete("figures/modalities.png"),
    "the PDF of a figure is deleted": delete("figures/modalities.pdf"),
    "a prediction is deleted": delete_one("predictions/fold-0/*.nii.gz"),
    "a thumbnail of a held-out case is deleted": lambda run: next(
        (run.results / "figures/cases").glob("*.webp")
    ).unlink(),
    "the report is deleted": delete("report.html"),
    "the folder of normalised cases, the manifest or the split is deleted": delete(
        "normalised/batch-001", "cohort/manifest.tsv", "cohort/splits.tsv"
    ),
}


@pytest.fixture(scope="module")
def jobs(tmp_path_factory):
    """The number of jobs of each rule in a new run."""
    run = Workflow(tmp_path_factory.mktemp("new") / "run")
    run.configure()
    return run.planned()


@pytest.fixture
def run(finished, tmp_path):
    return finished.copy(tmp_path / "run")


@pytest.fixture(scope="module")
def on_user_cases(finished, tmp_path_factory):
    """A finished run on files that the workflow does not make itself."""
    run = finished.copy(tmp_path_factory.mktemp("user") / "run")
    run.configure({"demo": None})
    run.succeed()
    return run


def assert_planned(planned: Counter[str], cell: str, jobs: Counter[str]) -> None:
    expected = rules_of(cell)
    assert set(planned) == set(expected)
    # Changes of folds and shards add jobs, so more than in a new run is allowed unless the cell has a number.
    too_few = {rule: count for rule, count in planned.items() if count < (expected[rule] or jobs.get(rule, 1))}
    too_many = {rule: count for rule, count in planned.items() if expected[rule] and count > expected[rule]}
    assert (too_few, too_many) == ({}, {})


def keys_of(cell: str) -> list[str]:
    return re.findall(r"`(\w+\.\w+)`", cell)


def test_every_setting_has_a_row_and_a_change():
    configuration = yaml.safe_load((REPOSITORY / "config.yaml").read_text())
    keys = [f"{section}.{key}" for section, content in configuration.items() if content for key in content]
    in_table = [key for cell, _ in TABLES["Settings"] for key in keys_of(cell)]
    # model.classes cannot be set.
    assert sorted(in_table) == sorted(set(keys) - {"model.classes"}) == sorted(SETTINGS)


@pytest.mark.parametrize(("key", "cell"), [(key, cell) for keys, cell in TABLES["Settings"] for key in keys_of(keys)])
def test_changed_setting(key, cell, run, jobs):
    shutil.copy(run.results / "cohort/splits.tsv", run.folder / "own.tsv")
    (run.folder / SETTINGS["cohort.exclude"]).touch()
    shutil.copy(run.results / "model/fold-0.safetensors", run.folder / "start.safetensors")
    if key == "training.synthetic_fraction":
        run.configure({"normalisation": RESAMPLED})
        run.succeed()
    section, name = key.split(".")
    changes = {section: {**TINY.get(section, {}), name: SETTINGS[key]}}
    if key == "cohort.samples":
        write_sheet(run)
        changes["demo"] = None
    if key == "training.synthetic_fraction":
        changes["normalisation"] = RESAMPLED
    run.configure(changes)
    planned = run.planned()
    planned.pop("demo_cohort", None)  # another root needs the demo cohort there
    assert_planned(planned, cell, jobs)


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    return copy_repository(tmp_path_factory.mktemp("code") / "a checkout")


@pytest.mark.parametrize(("change", "cell"), TABLES["Code"])
def test_changed_constant(change, cell, finished, repository, jobs):
    file, constant = re.findall(r"`([^`]+)`", change)
    module = repository / "scripts/tumorseg" / file
    before = module.read_text()
    doubled, count = re.subn(rf"^({constant}(?:: Final)? = .+)$", r"\1 * 2", before, flags=re.MULTILINE)
    assert count == 1
    module.write_text(doubled)
    try:
        assert_planned(Workflow(finished.folder, repository).planned(), cell, jobs)
    finally:
        module.write_text(before)


def test_reworded_messages_renamed_functions_and_moved_modules_rerun_nothing(finished, tmp_path):
    repository = copy_repository(tmp_path / "a checkout")
    library = repository / "scripts/tumorseg"
    edit(library / "cohort/image_checks.py", "; it may be clipped", "; perhaps it is clipped")
    edit(library / "training/trainer.py", "%s, %d held out, %s an epoch", "%s; held out: %d; %s in each epoch")
    edit(repository / "scripts/predict.py", "table of the splits", "the table of all splits")
    edit(library / "cohort/discovery.py", "no image was found below", "there is no image below")
    for path in (repository / "scripts").rglob("*.py"):
        text = path.read_text().replace("cohort.skull_stripping", "preprocessing.scalp")
        path.write_text(text.replace("_no_image_hint", "_hint_about_images"))
    (library / "cohort/skull_stripping.py").rename(library / "preprocessing/scalp.py")
    assert Workflow(finished.folder, repository).planned() == Counter()


def test_comments_docstrings_and_a_fresh_checkout_rerun_nothing(finished, tmp_path):
    repository = copy_repository(tmp_path / "a checkout")
    for path in Path(repository, "scripts").rglob("*.py"):
        reworded = re.sub(r'^( *r?""")(?=\w)', r"\1Reworded. ", path.read_text(), flags=re.MULTILINE)
        path.write_text(f"# A comment.\n{reworded}")
    assert Workflow(finished.folder, repository).planned() == Counter()


def test_every_event_of_the_page_is_tested():
    assert [event for event, _ in TABLES["Files"]] == list(FILES)


@pytest.mark.parametrize(("event", "cell"), TABLES["Files"])
def test_event(event, cell, on_user_cases, tmp_path, jobs):
    run = on_user_cases.copy(tmp_path / "run")
    FILES[event](run)
    assert_planned(run.planned(), cell, jobs)


def test_a_rerun_stage_with_the_same_result_reruns_nothing_after_it(run):
    run.configure({"cohort": {**TINY["cohort"], "expected_usable": 5}})
    assert "train_epoch" in run.planned()
    run.succeed("validate")
    assert run.planned() == Counter(report=1, provenance=1)  # these show the configuration
