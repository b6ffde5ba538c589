"""A change reruns the results that depend on it, and nothing else."""

import shutil
from collections import Counter

import pytest

from tests.integration.workflow import FIGURE_RULES, Workflow, copy_repository, edit

pytestmark = pytest.mark.slow

AFTER_SPLIT = Counter(
    train_epoch=3,
    verify_checkpoint=3,
    select_checkpoint=1,
    predict=1,
    evaluate=1,
    reliability=1,
    model_card=1,
    case_strips=1,
    viewer_cases=1,
    report=1,
    provenance=1,
    **dict.fromkeys(FIGURE_RULES, 1),
)


@pytest.fixture
def run(finished, tmp_path):
    return finished.copy(tmp_path / "moved")


def test_a_finished_run_has_nothing_to_do_after_a_move(run):
    assert "Nothing to be done" in run.succeed()


def test_a_fresh_checkout_and_a_comment_rerun_nothing(run, tmp_path):
    repository = copy_repository(tmp_path / "a checkout")
    edit(
        repository / "scripts/tumorseg/training/losses.py",
        "    log_probabilities = logits.float()",
        "    # A comment.\n    log_probabilities = logits.float()",
    )
    assert Workflow(run.folder, repository).planned() == Counter()


def test_a_colour_redraws_only_coloured_figures_and_pages(run):
    run.configure({"figures": {"colours": {"label_1": "#112233", "label_2": "#56B4E9", "label_4": "#F0E442"}}})
    assert run.planned() == Counter(
        [
            "figure_ground_truth",
            "figure_predictions",
            "figure_cohort_overview",
            "figure_learning_curves",
            "figure_gallery",
            "case_strips",
            "cohort_page",
            "report",
            "provenance",
        ]
    )


def test_a_change_of_the_loss_retrains_without_validation(run, tmp_path):
    repository = copy_repository(tmp_path / "a checkout")
    edit(repository / "scripts/tumorseg/training/losses.py", "_SMOOTHING = 1e-5", "_SMOOTHING = 1e-4")
    assert Workflow(run.folder, repository).planned() == AFTER_SPLIT


def test_a_change_of_the_template_rewrites_only_the_report(run, tmp_path):
    repository = copy_repository(tmp_path / "a checkout")
    edit(repository / "scripts/tumorseg/reporting/report/template.html", "{% block main %}", "{% block main %}<p></p>")
    assert Workflow(run.folder, repository).planned() == Counter(report=1, provenance=1)


def test_a_touched_file_reruns_nothing(run):
    next((run.folder / "cohort").glob("*/*-t1n.nii.gz")).touch()
    assert run.planned() == Counter()


def test_more_epochs_train_only_the_missing_ones(run):
    run.configure({"training": {"epochs": 4}})
    planned = run.planned()
    assert (planned["train_epoch"], planned["verify_checkpoint"]) == (1, 1)


def test_a_repaired_file_reruns_its_shard_and_dependent_results(run):
    valid, truncated = (
        run.folder / f"cohort/{case}/{case}-t2f.nii.gz" for case in ("BraTS-GLI-90001-000", "BraTS-GLI-90005-000")
    )
    shutil.copy(valid, truncated)
    assert run.planned() == AFTER_SPLIT + Counter(
        validate_batch=1,
        manifest=1,
        cohort_page=1,
        check_cohort=1,
        split=1,
        training_data=1,
        normalise_batch=1,
        figure_cohort_overview=1,
        figure_intensities=1,
    )
    run.succeed("validate")
    assert "BraTS-GLI-90005-000\tBraTS-GLI-90005\ttrue" in (run.results / "cohort/manifest.tsv").read_text()


def test_an_added_modality_reruns_the_shard(run):
    case = "BraTS-GLI-90006-000"
    shutil.copy(
        run.folder / "cohort/BraTS-GLI-90001-000/BraTS-GLI-90001-000-t1c.nii.gz",
        run.folder / f"cohort/{case}/{case}-t1c.nii.gz",
    )
    assert (run.planned("validate")["validate_batch"], run.planned("normalise")["normalise_batch"]) == (1, 1)
