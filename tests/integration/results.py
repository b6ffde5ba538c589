"""What has to be the same in two runs of the same configuration, however each came about."""

import csv
import io
import json
import re
from hashlib import sha256
from pathlib import Path

from tests.integration.workflow import Workflow

# Times, and what shows them.
EXEMPT = re.compile(r"logs/.*|benchmarks/.*|report\.html|provenance/.*|ro-crate-metadata\.json")


def content(workflow: Workflow) -> dict[str, str]:
    """A digest of each result, hidden files and folders' leftovers included, less the times in it."""
    found = {}
    for path in sorted(path for path in workflow.results.rglob("*") if path.is_file()):
        name = str(path.relative_to(workflow.results))
        if not EXEMPT.fullmatch(name):
            found[name] = sha256(_less_times(path)).hexdigest()
    return found


def _less_times(path: Path) -> bytes:
    if re.fullmatch(r"epoch-\d+\.json", path.name):
        return json.dumps({**json.loads(path.read_text()), "seconds": None}).encode()
    if path.name == "history.csv":
        rows = list(csv.DictReader(io.StringIO(path.read_text())))
        return json.dumps([{**row, "seconds": None} for row in rows]).encode()
    return path.read_bytes()
