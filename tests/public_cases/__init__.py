"""Tests on unusual files of public data sets. A script outside this repository generates the input of each test.

A test file is named after the number of its input. `TUMORSEG_PUBLIC_CASES` sets the folder of the scripts.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.builders import REPOSITORY


def generate_case(number: str, folder: Path) -> Path:
    """Run the script of a public case, such as "08", and return its data folder. Skip the test without a script."""
    root = Path(os.environ.get("TUMORSEG_PUBLIC_CASES", REPOSITORY.parent / "shared/cases"))
    scripts = sorted(root.glob(f"{number}-*/make.py"))
    if not scripts:
        pytest.skip(f"there is no public case {number} (set TUMORSEG_PUBLIC_CASES to the folder of all cases)")
    data = folder / "data"
    subprocess.run([sys.executable, str(scripts[0]), str(data)], check=True, capture_output=True)
    return data
