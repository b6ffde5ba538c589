"""Expected and true Dice and volumes of held-out cases; no case is judged with the help of its own patient."""

import json

import numpy as np
import pandas as pd
import pytest

import reliability
from tests.support.builders import TASK
from tests.support.held_out import held_out_case
from tumorseg.cohort.splits import FoldAssignment, write_splits
from tumorseg.errors import UserError
from tumorseg.evaluation.reliability import fold_held_out_cases, reliability_table
from tumorseg.evaluation.reliability_summary import reliability_sentences, reliability_summary
from tumorseg.inference.records import RECORD_FORMAT
from tumorseg.io.files import write_json
from tumorseg.networks.held_out_quality import read_held_out_cases

QUALITY = {"soft_dice": 0.8, "expected_mm3": 900.0, "mask_mm3": 950.0}


def folds(*sizes: int) -> list[dict]:
    """Return held-out cases of several folds, one for each patient, with different soft Dice."""
    soft = iter(np.linspace(0.5, 0.9, sum(sizes)).tolist())
    return [
        {f"{fold}-{number}": held_out_case(number, next(soft)) for number in range(size)}
        for fold, size in enumerate(sizes)
    ]


def test_every_case_is_expected_and_covered_from_ten_patients_on():
    table = reliability_table(folds(10), TASK)
    assert len(table) == 10 * len(TASK.structures)
    assert set(table["covered"].eq("true").groupby(table["region"]).sum()) == {9}  # all but that of the largest error
    between = table[table["case"].isin([f"0-{number}" for number in range(1, 9)])]  # the line is level beyond
    np.testing.assert_allclose(between["expected_dice"], between["dice"], atol=1e-5)
    assert table["covered_from_other_folds"].eq("").all()
    few = reliability_table(folds(9), TASK)
    assert few["covered"].eq("").all()
    assert few["expected_dice"].isna().all()


def test_a_patient_never_takes_part_in_what_is_expected_of_it():
    usual = folds(12)[0]
    changed = dict(usual)
    for number in range(2):  # a patient with two cases, whose Dice and volumes are far from what their masks say
        case = held_out_case(99, 0.9, 500_000.0)
        changed[f"odd-{number}"] = case
    odd = {name: held_out_case(99, 0.5, 1000.0) if name.startswith("odd") else case for name, case in changed.items()}
    columns = ["expected_dice", "low_mm3", "high_mm3"]
    tables = [reliability_table([cases], TASK).set_index(["case", "region"])[columns] for cases in (changed, odd)]
    alone = reliability_table([usual | {"new": held_out_case(99, 0.9, 500_000.0)}], TASK).set_index(["case", "region"])
    for region in TASK.structures:
        pair = tables[0].loc[[("odd-0", region), ("odd-1", region)]].to_numpy(float)
        np.testing.assert_allclose(pair, alone.loc[[("new", region)] * 2, columns].to_numpy(float))
    assert not tables[0].loc["0-3"].equals(tables[1].loc["0-3"])


def test_an_unlike_patient_is_not_covered_by_the_others():
    cases = folds(15)[0]
    (name, odd), *_ = cases.items()
    far = {
        region: type(found)(found.patient, found.estimate, 10 * found.reference_mm3, 0.0)
        for region, found in odd.structures.items()
    }
    table = reliability_table([cases | {name: type(odd)(odd.patient, odd.channels, far)}], TASK).set_index("case")
    assert table.loc[name, "covered"].eq("false").all()
    assert table.drop(name)["covered"].eq("true").all()
    found = reliability_summary(table.reset_index(), 15, TASK)["structures"]["WT"]["from_other_patients"]
    assert (found["cases"], found["covered"]) == (15, 14)
    assert (found["low"], found["high"]) == pytest.approx((0.681, 0.998), abs=0.001)  # Clopper and Pearson


def test_the_intervals_from_the_other_folds_are_measured_if_these_have_enough_patients():
    table = reliability_table(folds(9, 4), TASK).groupby("fold")["covered_from_other_folds"].first()
    assert table.to_dict() == {0: "", 1: "false"}


def test_the_sentences_name_the_coverage_or_why_there_is_none():
    def sentences(*sizes: int) -> str:
        return " ".join(
            reliability_sentences(reliability_summary(reliability_table(folds(*sizes), TASK), sum(sizes), TASK), TASK)
        )

    assert "90 % intervals from 9 held-out patients with the same images on; here, 3 patients" in sentences(3)
    assert "coverage is measured from 10 patients" in sentences(9)
    text = sentences(11, 10)
    assert "contain the true volume of WT in 19 of 21 cases (95 % confidence interval 70 to 99 %), TC in" in text
    # The soft Dice of all cases of the second fold are larger, and so are their errors in units of the scale.
    assert "intervals from the cases of the other folds, it is WT in 11 of 21 cases" in text
    assert "Mean error of the expected Dice" in text


@pytest.fixture
def arguments(tmp_path):
    """The command line for two folds of one case each, which belong to patients of other names."""
    splits = [FoldAssignment("a", "Zoe", 0), FoldAssignment("b", "Ann", 1)]
    write_splits(tmp_path / "splits.tsv", splits)
    columns = {"channels": "t1,t1ce,t2,flair", "dice": 0.75, "reference_mm3": 1000.0, "predicted_mm3": 960.0}
    rows = [{"case": case, "fold": 0, "region": name, **columns} for case in "ab" for name in TASK.structures]
    pd.DataFrame(rows).to_csv(tmp_path / "cases.csv", index=False)
    for fold, case in enumerate("ab"):
        entry = {"digest": "x", "written": {"4": 3}, "quality": [dict.fromkeys(TASK.structures, QUALITY)]}
        record = {
            "format": RECORD_FORMAT,
            "fold": fold,
            "model": f"{fold}" * 64,
            "split": "s",
            "settings": {"overlap": 0.5},
        }
        write_json(tmp_path / f"fold-{fold}.json", {**record, "cases": {case: entry}})
    names = {
        "records": ["fold-0.json", "fold-1.json"],
        "scores": ["cases.csv"],
        "splits": ["splits.tsv"],
        "table": ["table.csv"],
        "summary": ["summary.json"],
        "held-out": ["0.reliability.json", "1.reliability.json"],
    }
    options = [
        word for name, files in names.items() for word in (f"--{name}", *(str(tmp_path / file) for file in files))
    ]
    return [*options, "--task", "brats-glioma"]


def test_the_script_writes_the_cases_of_each_model_without_names(arguments, tmp_path):
    reliability.main(arguments)
    for fold in range(2):
        path = tmp_path / f"{fold}.reliability.json"
        (case,) = read_held_out_cases(path, f"{fold}" * 64, TASK).cases
        found = case.structures["TC"]
        assert (found.dice, found.reference_mm3, found.estimate.mm3) == (0.75, 1000, 960)
        assert found.estimate.quality.to_json() == QUALITY
        assert not {"Zoe", "Ann", '"a"', '"b"'} & set(path.read_text().replace(",", " ").split())
    table = pd.read_csv(tmp_path / "table.csv")
    assert table[["case", "fold"]].drop_duplicates().to_numpy().tolist() == [["a", 0], ["b", 1]]
    assert json.loads((tmp_path / "summary.json").read_text())["patients"] == 2


def test_a_record_without_quality_is_refused(arguments, tmp_path, capsys):
    record = json.loads((tmp_path / "fold-1.json").read_text())
    del record["cases"]["b"]["quality"]
    write_json(tmp_path / "fold-1.json", record)
    with pytest.raises(SystemExit, match="1"):
        reliability.main(arguments)
    assert "the predictions of fold 1 do not fit the table of scores" in capsys.readouterr().err


def test_a_case_without_scores_is_refused():
    record = {"fold": 0, "cases": {"a": {"quality": [dict.fromkeys(TASK.structures, QUALITY)]}}}
    scores = pd.DataFrame({"case": ["b"], "region": ["WT"]})
    with pytest.raises(UserError, match="do not fit the table of scores"):
        fold_held_out_cases(record, scores, [FoldAssignment("a", "a", 0)], TASK)
