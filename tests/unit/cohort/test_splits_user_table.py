import pandas as pd
import pytest

from tumorseg.cohort.patients import patient_from_name
from tumorseg.cohort.splits import FoldAssignment, names_without_usable_case, user_splits, write_splits
from tumorseg.errors import UserError

A0, A1, B0, C0, D0 = CASES = [f"BraTS-GLI-0000{name}" for name in ("1-000", "1-001", "2-000", "3-000", "4-000")]
TABLE = pd.DataFrame({"case": CASES, "patient": list(map(patient_from_name, CASES)), "usable": [True] * 4 + [False]})
ONE_SPLIT = f"case,fold\n{A0},0\n{A1},0\n{B0},-1\n{C0},-1\n"
EXPECTED = [(A0, 0), (A1, 0), (B0, -1), (C0, -1)]


@pytest.fixture
def read(tmp_path):
    def read(content: str | bytes, folds: int = 1):
        path = tmp_path / "own.tsv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return [(row.case, row.fold) for row in user_splits(path, TABLE, folds=folds)]

    return read


@pytest.mark.parametrize(
    "content",
    [
        ONE_SPLIT,
        ONE_SPLIT.replace(",", "\t"),
        ONE_SPLIT.replace("\n", "\r\n"),
        ONE_SPLIT.encode("utf-8-sig"),
        ONE_SPLIT.replace(",", " , ") + "\n,,\n",
        f'"fold","why, in words","case"\n"-1","a, b","{C0}"\n"0","","{A1}"\n"0","","{A0}"\n"-1","","{B0}"\n',
        "patient,fold\nBraTS-GLI-00001,0\nBraTS-GLI-00002,-1\nBraTS-GLI-00003,-1\n",
        ONE_SPLIT + f"{D0},0\n",
    ],
    ids=["csv", "tsv", "crlf", "bom", "blanks", "quoted", "patients", "a dropped case"],
)
def test_the_file_decides_the_fold_of_each_usable_case(read, content):
    assert read(content) == EXPECTED


def test_an_earlier_table_of_splits_is_accepted(tmp_path):
    splits = [
        FoldAssignment(case, patient_from_name(case), fold) for case, fold in [(A0, 0), (A1, 0), (B0, 1), (C0, -1)]
    ]
    write_splits(tmp_path / "splits.tsv", splits)
    assert user_splits(tmp_path / "splits.tsv", TABLE, folds=2) == splits


@pytest.mark.parametrize(
    ("content", "folds", "words"),
    [
        ("", 1, ["the header, empty, needs a column fold and a column case or patient"]),
        ("case;fold\n", 1, ["the header, case;fold, needs", "separated by tabs or commas"]),
        ("case,part\n", 1, ["the header, case, part, needs a column fold"]),
        ("name,fold\n", 1, ["needs", "a column case or patient"]),
        (ONE_SPLIT.encode("utf-16"), 1, ["not a UTF-8 text table"]),
        (ONE_SPLIT + f"{A0},-1\n", 1, [f"more than one row for a case: {A0};", "keep one row each"]),
        (ONE_SPLIT + f"{A0},0\n", 1, [f"more than one row for a case: {A0};"]),
        (ONE_SPLIT.replace(f"{A0},0", f"{A0},1"), 1, [f"{A0} ('1');", "fold is 0 (held out) or -1 (trained on)"]),
        (ONE_SPLIT.replace(f"{A0},0", f"{A0},0.5"), 1, [f"{A0} ('0.5');"]),
        (ONE_SPLIT.replace(f"{A0},0", A0), 1, [f"{A0} ('');"]),
        (ONE_SPLIT.replace("-1", "3"), 3, [f"{B0} ('3'), {C0} ('3');", "fold is 0 to 2 (held out in that fold) or -1"]),
        (ONE_SPLIT + "BraTS-GLI-00004-00,0\n", 1, ["no such case in the cohort: BraTS-GLI-00004-00 (did you mean"]),
        (ONE_SPLIT + ",0\n", 1, ["no such case in the cohort: an empty name;"]),
        ("case,fold\n" + "".join(f"{n},0\n" for n in "vwxyz"), 1, ["in the cohort: v, w, x and 2 more; correct"]),
        (ONE_SPLIT.replace(f"{B0},-1\n", ""), 1, [f"no row for a usable case: {B0};", "add a row"]),
        ("patient,fold\nBraTS-GLI-00001,0\n", 1, ["no row for a usable patient: BraTS-GLI-00002, BraTS-GLI-00003;"]),
        (
            ONE_SPLIT.replace(f"{A1},0", f"{A1},-1"),
            1,
            ["patient in different folds: BraTS-GLI-00001;", "the same fold"],
        ),
        (ONE_SPLIT.replace(",0", ",-1") + f"{D0},0\n", 1, ["no usable case: fold 0;"]),
        (ONE_SPLIT.replace("-1", "0"), 1, ["no usable case: fold -1;"]),
        (ONE_SPLIT, 3, ["no usable case: fold 1, fold 2;", "cohort.folds 3"]),
    ],
)
def test_a_mistake_is_reported_with_the_file_and_the_names(read, content, folds, words):
    with pytest.raises(UserError, match=r"own\.tsv: ") as error:
        read(content, folds)
    assert [part for part in words if part not in str(error.value)] == []


def test_an_unreadable_file_is_reported(tmp_path):
    with pytest.raises(UserError, match=r"own\.tsv: cannot read this file .* correct cohort\.split_file"):
        user_splits(tmp_path / "own.tsv", TABLE, folds=1)


def test_names_without_a_usable_case_are_listed(tmp_path):
    (tmp_path / "own.csv").write_text(ONE_SPLIT + f"{D0},0\n")
    assert names_without_usable_case(tmp_path / "own.csv", TABLE) == [D0]
