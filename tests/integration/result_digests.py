"""Digests of results, to compare two runs of the same configuration."""

import csv
import io
import json
import re
from hashlib import sha256
from pathlib import Path

from tests.integration.workflow import Workflow

# Files that hold times.
WITH_TIMES = re.compile(r"logs/.*|benchmarks/.*|report\.html|provenance/.*|ro-crate-metadata\.json")


def result_digests(workflow: Workflow) -> dict[str, str]:
    """Return the digest of each result without its times, including hidden files."""
    found = {}
    for path in sorted(path for path in workflow.results.rglob("*") if path.is_file()):
        name = str(path.relative_to(workflow.results))
        if not WITH_TIMES.fullmatch(name):
            found[name] = sha256(_without_times(path)).hexdigest()
    return found


def _without_times(path: Path) -> bytes:
    if re.fullmatch(r"epoch-\d+\.json", path.name):
        return json.dumps({**json.loads(path.read_text()), "seconds": None}).encode()
    if path.name == "history.csv":
        rows = list(csv.DictReader(io.StringIO(path.read_text())))
        return json.dumps([{**row, "seconds": None} for row in rows]).encode()
    return path.read_bytes()
