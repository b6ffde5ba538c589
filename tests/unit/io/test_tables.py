"""Tables: text stays text, numbers stay numbers, and no cell is a formula to a spreadsheet."""

import ast
import csv

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.builders import REPOSITORY, hypothesis_settings
from tumorseg.errors import UserError
from tumorseg.io.tables import read_table, write_table

AWKWARD = ["NA", "nan", "null", "None", "1e5", "007", "True", "", " a ", "Müller 01", "case,2", "x'y", 'say "so"']
FORMULAS = ["-a", "=cmd|' /C calc'!A0", "+1+1", "@SUM(A1)", "\tx", "\rx", "'=1", "''-2", "-3\n", "-２+x", "＝1"]
NUMBERS = ["-3", "+1", "-0.5"]


@pytest.mark.parametrize("name", ["table.tsv", "table.csv"])
@pytest.mark.parametrize("text", [*AWKWARD, *FORMULAS, *NUMBERS, "a\tb", "a\nb", "a\r\nb", "a\rb", "'plain", "\\t"])
def test_text_round_trips(tmp_path, name, text):
    write_table(tmp_path / name, pd.DataFrame({"case": [text, "other"], "dice": [0.5, 1]}))
    table = read_table(tmp_path / name, text_columns=["case"])
    assert list(table["case"]) == [text, "other"]
    assert list(table["dice"]) == [0.5, 1]


@given(st.lists(st.text(st.characters(codec="utf-8")), min_size=1), st.sampled_from([".tsv", ".csv"]))
@hypothesis_settings(200)
def test_any_text_round_trips(tmp_path_factory, texts, suffix):
    path = tmp_path_factory.mktemp("any") / f"table{suffix}"
    write_table(path, pd.DataFrame({"case": texts, "other": texts[::-1]}))
    table = read_table(path)
    assert [list(table["case"]), list(table["other"])] == [texts, texts[::-1]]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_is_written_with_an_apostrophe(tmp_path, text):
    write_table(tmp_path / "t.csv", pd.DataFrame({"case": [text], "volume": [-1.5]}))
    with (tmp_path / "t.csv").open(newline="", encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert row == {"case": f"'{text}", "volume": "-1.5"}


@pytest.mark.parametrize("text", NUMBERS)
def test_a_number_is_no_formula(tmp_path, text):
    write_table(tmp_path / "t.tsv", pd.DataFrame({"case": [text]}))
    assert (tmp_path / "t.tsv").read_text(encoding="utf-8") == f"case\n{text}\n"


def test_numbers_round_trip_exactly(tmp_path):
    numbers = [0.1 + 0.2, -1e-300, 1e22, np.inf, np.nan, 5e-324]
    write_table(tmp_path / "t.csv", pd.DataFrame({"dice": numbers, "fold": range(-1, 5)}))
    table = read_table(tmp_path / "t.csv", text_columns=())
    np.testing.assert_array_equal(table["dice"], numbers)
    assert table["fold"].dtype == "int64"


def test_harmless_tables_have_the_bytes_that_pandas_writes(tmp_path):
    table = pd.DataFrame(
        {
            "case": ["BraTS-GLI-00001-000", 'a "b", c', "d\te", None],
            "usable": [True, False, True, True],
            "dice": [1.0, np.nan, 0.1 + 0.2, 1e-7],
            "count": pd.array([1, None, 3, 4], dtype="Int64"),
            "fold": [-1, 0, 1, 2],
        }
    )
    for name, separator in (("t.tsv", "\t"), ("t.csv", ",")):
        write_table(tmp_path / name, table)
        wanted = table.to_csv(sep=separator, index=False, lineterminator="\n")
        assert (tmp_path / name).read_text(encoding="utf-8") == wanted


@pytest.mark.parametrize("content", [b"", b"a\tb\n1\n", b"a\n1\t2\n", b"a\n\xff\n", b'a\n"1\n'])
def test_an_invalid_table_is_refused_by_name(tmp_path, content):
    (tmp_path / "t.tsv").write_bytes(content)
    with pytest.raises(UserError, match=r"t\.tsv: this table is missing or corrupted"):
        read_table(tmp_path / "t.tsv")


@pytest.mark.parametrize("text", ["high", "99999999999999999999"])
def test_text_in_a_column_of_numbers_is_refused(tmp_path, text):
    write_table(tmp_path / "t.tsv", pd.DataFrame({"dice": [text]}))
    with pytest.raises(UserError, match=r"t\.tsv"):
        read_table(tmp_path / "t.tsv", text_columns=())


def test_all_tables_are_read_and_written_here():
    scripts = REPOSITORY / "scripts"
    elsewhere = [
        path.relative_to(scripts).as_posix()
        for path in scripts.rglob("*.py")
        if path.name != "tables.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (isinstance(node, ast.Attribute) and node.attr in ("read_csv", "to_csv", "read_table"))
        or (isinstance(node, ast.Import) and any(alias.name == "csv" for alias in node.names))
    ]
    assert elsewhere == []
