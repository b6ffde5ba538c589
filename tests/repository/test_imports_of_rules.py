"""Planning imports little, since it runs in every command and, on a cluster, in every job."""

import re
import subprocess
import sys

from tests.support.builders import REPOSITORY


def test_the_imports_of_the_rules_load_no_library_for_images_or_networks():
    rules = [file.read_text(encoding="utf-8") for file in sorted((REPOSITORY / "workflow/rules").glob("*.smk"))]
    modules = sorted({name for text in rules for name in re.findall(r"^from (tumorseg\S*) import", text, re.MULTILINE)})
    assert "tumorseg.evaluation.matching" in modules
    program = f"import {', '.join(modules)}, sys\nprint(*{{'scipy', 'nibabel', 'torch'}} & set(sys.modules))"
    command = [sys.executable, "-c", program]
    loaded = subprocess.run(command, cwd=REPOSITORY / "scripts", check=True, capture_output=True, text=True).stdout
    assert loaded.split() == []
