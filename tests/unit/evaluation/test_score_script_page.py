"""The script `score` with its page, its tables for papers, and a chosen baseline."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from tests.support.case_files import mask, write_valid_case
from tests.support.score_folders import Folders

CASES = [f"BraTS-GLI-0000{number}-000" for number in (1, 2, 3)]
AWKWARD = "b <i> & 50%_#"
FILES = ("scores.html", "table.csv", "table.tex")


@pytest.fixture
def folders(tmp_path):
    for case in CASES:
        write_valid_case(tmp_path / "references", case)
    found = Folders(tmp_path)
    for case in CASES:
        found.predict(f"{case}.nii.gz", mask())
        found.predict(f"{case}.nii.gz", np.roll(mask(), 1, axis=0), folder=AWKWARD)
    return found


def read(folders: Folders, name: str) -> str:
    return (folders.root / "scores" / name).read_text(encoding="utf-8")


def test_one_folder_has_a_page_and_tables(folders):
    folders.score("predictions", page=True)
    page = read(folders, "scores.html")
    assert "1 folder of predicted masks, scored against the reference masks of 3 cases." in page
    assert "Largest disagreements" not in page  # the masks are those of the references
    assert len(pd.read_csv(folders.root / "scores/table.csv")) == 4 * 3
    assert r"{predictions} & 1.000" in read(folders, "table.tex")


def test_several_folders_have_pictures_and_escaped_names(folders):
    folders.score("predictions", AWKWARD, page=True, challenge_2026=True)
    page = read(folders, "scores.html")
    assert page.count('class="case-pictures"') == 3
    assert page.count('class="mask"') == 3 * 3
    assert "b &lt;i&gt; &amp; 50%_#" in page
    assert "<i>" not in page
    assert r"{b \textless{}i\textgreater{} \& 50\%\_\#}" in read(folders, "table.tex")
    table = pd.read_csv(folders.root / "scores/table.csv")
    assert set(table["folder"]) == {"predictions", AWKWARD}
    assert table["challenge"].dropna().unique().tolist() == ["BraTS 2023", "BraTS 2025 and 2026"]
    compared = json.loads(read(folders, "comparison_2026.json"))
    assert compared["structures"]["WT"]["lesion_f1_2026"]["differences"].keys() == {AWKWARD}
    assert "lesionwise_dice" not in compared["structures"]["WT"]


def test_the_baseline_can_be_chosen(folders, capsys):
    folders.score("predictions", AWKWARD, page=True, baseline=AWKWARD)
    compared = json.loads(read(folders, "comparison.json"))
    assert compared["baseline"] == AWKWARD
    assert compared["structures"]["WT"]["dice"]["differences"]["predictions"]["difference"] > 0
    assert "Differences from b &lt;i&gt; &amp; 50%_#" in read(folders, "scores.html")
    lines = capsys.readouterr().err.splitlines()
    start = next(
        number for number, line in enumerate(lines) if f"difference from the baseline {AWKWARD} in Dice" in line
    )
    assert [line.split()[1:3] for line in lines[start + 2 : start + 5]] == [
        ["predictions", name] for name in ("WT", "TC", "ET")
    ]
    ranked = lines.index("score: ranking by Lesion-wise Dice and Lesion-wise HD95:")
    assert re.match(r"score: predictions +1 ", lines[ranked + 2])


def test_an_unknown_baseline_is_refused(folders, capsys):
    with pytest.raises(SystemExit, match="1"):
        folders.score("predictions", AWKWARD, baseline="references")
    message = capsys.readouterr().err
    assert (
        f"score.baseline: no folder of predictions has the name references; the names are predictions, {AWKWARD}"
        in message
    )


def test_folders_of_one_name_are_told_apart_on_the_page(folders):
    for parent in ("one", "two"):
        for case in CASES:
            folders.predict(f"{case}.nii.gz", mask(), folder=f"{parent}/masks")
    folders.score("one/masks", "two/masks", page=True, baseline="two-masks")
    assert "Differences from two-masks" in read(folders, "scores.html")


def test_a_later_run_without_them_deletes_page_and_tables(folders):
    folders.score("predictions", AWKWARD, page=True)
    assert all((folders.root / "scores" / name).is_file() for name in FILES)
    folders.score("predictions")
    assert not any((folders.root / "scores" / name).exists() for name in FILES)


def test_the_page_does_not_name_folders_outside_of_the_scored_ones(folders):
    folders.predict(f"{CASES[0]}.nii.gz", mask()).unlink()
    folders.score("predictions", AWKWARD, page=True)
    assert str(folders.root) not in read(folders, "scores.html")
