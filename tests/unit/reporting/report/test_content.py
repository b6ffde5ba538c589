"""The content of the report of a synthetic run with three cases."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from tests.support.builders import REPOSITORY
from tests.unit.cohort.test_overview import TASK, validated
from tumorseg.cohort.splits import FoldAssignment
from tumorseg.metrics.registry import columns, definitions, metric
from tumorseg.metrics.summary import summarise
from tumorseg.reporting.report.case_rows import case_rows, describe_conventions
from tumorseg.reporting.report.content import ReportContent, collect_report_content
from tumorseg.reporting.report.run_results import RunResults
from tumorseg.reporting.report.structures import distinct_structures, structure_name
from tumorseg.task import Task
from tumorseg.training.fold_results import FoldResult

REFUSED = {
    "epoch": 3,
    "file": "results/training/fold-0/epoch-0003.pt",
    "problems": [{"code": "digest_mismatch", "message": "the file is not the one that was saved"}],
}


def manifest_row(case: str, *, problems: str = "", detail: str = "", warnings: str = "") -> dict[str, Any]:
    return {"case": case, "usable": not problems, "problems": problems, "detail": detail, "warnings": warnings}


CONFIGURATION: dict[str, Any] = yaml.safe_load((REPOSITORY / "config.yaml").read_text()) | {
    "cohort": {"root": "data/<BraTS>", "patient": None, "folds": 1, "prepare": "none"},
    "figures": {
        "cases": 1,
        "dpi": 50,
        "opacity": 0.5,
        "colours": {"label_1": "#D55E00", "label_2": "#56B4E9", "label_4": "#F0E442"},
    },
}


def scores(task: Task = TASK, **changes: float) -> pd.DataFrame:
    values = {**dict.fromkeys(columns(), 10), **dict.fromkeys(definitions(), 0.5), "lesions_false": 0}
    return pd.DataFrame(
        [
            {
                "case": case,
                "fold": 0,
                "channels": ",".join(task.channel_names),
                "region": structure,
                **values,
                **changes,
            }
            for case in ("b", "a")
            for structure in task.structures
        ]
    )


def results(
    *,
    refused: tuple[dict[str, Any], ...] = (),
    rows: tuple[dict[str, Any], ...] = (),
    select: str = "last",
    filled: int = 0,
    windowed: bool = False,
    nonfinite: int = 0,
    untrained: tuple[str, ...] = (),
    task: Task = TASK,
    **changes: float,
) -> RunResults:
    history = pd.DataFrame(
        {
            "epoch": [1, 2, 3],
            "train_loss": [0.9, 0.51234, 0.4],
            "learning_rate": [1e-3, 1e-3, 1e-5],
            "steps": 10,
            "skipped_steps": 0,
            "nonfinite_steps": [0, nonfinite, 0],
        }
    )
    selection = {
        "fold": 0,
        "epoch": 2,
        "select": select,
        "refused": refused,
        "execution": "cpu fp32",
        "model": "model",
        "digest": "d1ge57",
    }
    table = scores(task, **changes)
    return RunResults(
        manifest=pd.DataFrame([manifest_row("a"), manifest_row("b"), manifest_row("c"), *rows]),
        validation_results=[validated(case, files={"t1": {"bytes": 10, "digest": case}}) for case in ("a", "b", "c")],
        splits=[FoldAssignment("a", "A", 0), FoldAssignment("b", "A", 0), FoldAssignment("c", "C", -1)],
        summary=summarise(
            table,
            dict.fromkeys("ab", np.zeros((task.classes, task.classes), np.int64)),
            task=task,
            confidence=0.95,
            bootstrap_samples=20,
            surface_tolerance_mm=1,
            seed=1,
        ),
        scores=table,
        reliability={
            "level": 0.9,
            "patients": 2,
            "structures": {name: {"from_other_patients": None} for name in task.structures},
        },
        folds=[FoldResult.from_dict(history, selection)],
        predictions=[
            {
                "cases": {case: {"windowed": windowed, "changed": {"filled": filled}} for case in ("a", "b")},
                "untrained_channels": untrained,
            }
        ],
    )


def report_content(**changes: Any) -> ReportContent:
    return collect_report_content(
        results(**changes), CONFIGURATION, changes.get("task", TASK), patients_from_names=True
    )


def test_a_run_without_problems_has_no_alerts():
    assert report_content().alerts == []


@pytest.mark.parametrize(
    ("changes", "text", "section"),
    [
        ({"predicted_voxels": 0}, "Never predicted: Label 1", "scores"),
        ({"refused": (REFUSED,)}, "epoch 3 was refused (digest_mismatch)", "refused"),
        ({"select": "best"}, "the scores are optimistic", "training"),
        ({"nonfinite": 2}, "the loss of 2 of 30 steps was not finite", "history"),
        ({"untrained": ("b",)}, "1 held-out case, such as b, with images that the model was not trained for", "scores"),
        ({"filled": 3}, "changed the masks before scoring: filled 6 voxels", "configuration"),
        ({"windowed": True}, "2 cases predicted in windows instead of as a whole volume", "configuration"),
        ({"rows": (manifest_row("d", problems="truncated", detail="short"),)}, "1 of 4 cases dropped", "dropped"),
        ({"rows": (manifest_row("d", warnings="no_enhancing_tumour"),)}, "1 case has warnings", "case-warnings"),
    ],
)
def test_problems_of_a_run_are_alerts_that_link_to_their_section(changes, text, section):
    alert = report_content(**changes).alerts[0]
    assert text in alert.text
    assert alert.section == section


def test_a_demo_cohort_is_the_first_alert():
    content = collect_report_content(
        results(predicted_voxels=0), {**CONFIGURATION, "demo": {"cases": 14}}, TASK, patients_from_names=True
    )
    assert "demo cohort" in content.alerts[0].text


def test_models_selected_by_the_scored_cases_are_one_alert():
    run = results(select="best")
    assert (
        len(
            collect_report_content(
                replace(run, folds=run.folds * 3), CONFIGURATION, TASK, patients_from_names=True
            ).alerts
        )
        == 1
    )


def test_the_images_that_a_case_lacks_are_named():
    table = scores()
    table.loc[table["case"] == "b", "channels"] = "t1,flair"
    rows = case_rows(table, {"a": "A", "b": "B"}, TASK)
    assert [row.missing for row in rows] == [(), ("T1CE", "T2")]


def test_every_message_of_a_dropped_case_is_listed():
    row = manifest_row("d", problems="bad_label,truncated", detail="seg: value 7 | t1: too short")
    (case,) = report_content(rows=(row,)).dropped
    assert case.codes == ("bad_label", "truncated")
    assert case.messages == ("seg: value 7", "t1: too short")


def test_a_dropped_case_is_not_listed_among_cases_with_warnings():
    row = manifest_row("d", problems="truncated", detail="short", warnings="negative_intensities")
    assert report_content(rows=(row,)).warned == []


def test_cases_and_patients_are_counted():
    content = report_content(rows=(manifest_row("d", problems="truncated", detail="short"),))
    assert (content.found, content.usable, content.patients, content.scored) == (4, 3, 2, 2)
    assert (content.folds[0].trained, content.folds[0].held_out) == (1, 2)


def test_cases_are_sorted_and_have_the_mean_over_the_labels():
    run = results()
    run.scores.loc[(run.scores["case"] == "a") & (run.scores["region"] == "label_2"), "dice"] = 0.8
    first, second = collect_report_content(run, CONFIGURATION, TASK, patients_from_names=True).cases
    assert (first.case, second.case) == ("a", "b")
    assert first.ranked_by == pytest.approx(0.6)
    assert first.anchor != second.anchor


def test_a_case_has_its_patient_and_its_volumes_in_ml():
    first, _ = report_content(reference_mm3=2500, predicted_mm3=500).cases
    assert (first.patient, first.volumes_ml) == ("A", (2.5, 0.5))


def test_scores_are_defined_by_convention_if_a_needed_structure_is_absent():
    everything, nothing = set(TASK.structures), set()
    expected = {"dice": nothing, "lesionwise_dice": nothing, "hd95": nothing}
    assert expected.items() <= report_content().cases[0].conventions.items()
    assert (expected | {"hd95": everything}).items() <= report_content(predicted_voxels=0).cases[0].conventions.items()
    assert (
        dict.fromkeys(expected, everything).items() <= report_content(reference_voxels=0).cases[0].conventions.items()
    )


def test_conventions_are_described_in_words():
    assert describe_conventions(
        [metric("dice"), metric("lesionwise_dice"), metric("volume_error_mm3"), metric("hd95")]
    ) == (
        "for Dice and Lesion-wise Dice if the structure is absent from the reference (1 if it is absent from the "
        "prediction too, else 0); for HD95 if the structure is absent from the reference or the prediction (0 mm if it "
        "is absent from both, else 374 mm)"
    )


def test_structures_are_named_in_words():
    assert structure_name("TC", TASK) == "TC: tumour core"
    assert structure_name("label_2", TASK) == "Label 2: oedema"


def test_a_label_that_equals_a_region_is_named_once():
    assert list(distinct_structures(TASK).values()) == [
        "WT: whole tumour",
        "TC: tumour core",
        "ET: enhancing tumour (label 4)",
        "Label 1: necrotic / non-enhancing core",
        "Label 2: oedema",
    ]
