"""Small inputs after public bug reports, each made by a script. They lie beside the project and are not part of it.

One test file for each, named after its number. `TUMORSEG_PUBLIC_CASES` names their folder where it lies elsewhere.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.builders import REPOSITORY


def made(number: str, folder: Path) -> Path:
    """Run the script of a case, such as "08", and return its data folder. Skips the test where it is absent."""
    root = Path(os.environ.get("TUMORSEG_PUBLIC_CASES", REPOSITORY.parent / "shared/cases"))
    scripts = sorted(root.glob(f"{number}-*/make.py"))
    if not scripts:
        pytest.skip(f"the public case {number} is not here (set TUMORSEG_PUBLIC_CASES to the folder of all cases)")
    data = folder / "data"
    subprocess.run([sys.executable, str(scripts[0]), str(data)], check=True, capture_output=True)
    return data
