"""The files of a run by their digests: what it has read, and the masks that it has made."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from tumorseg.cohort.verdict import Verdict
from tumorseg.files import sha256


def raw(verdicts: Iterable[Verdict]) -> pd.DataFrame:
    """A row a raw file that could be read to its end, of usable cases and of dropped ones, by case and role.

    Columns `case`, `usable` (true or false, of the case by itself), `role` (t1, t1ce, t2, flair, seg), `path` (relative
    to the cohort's folder), `bytes` (on disk) and `xxh3_128` (of these bytes, hexadecimal).
    """
    rows = [
        (verdict.case, str(verdict.usable).lower(), role, file["path"], file["bytes"], file["digest"])
        for verdict in verdicts
        for role, file in verdict.facts["files"].items()
    ]
    return pd.DataFrame(sorted(rows), columns=["case", "usable", "role", "path", "bytes", "xxh3_128"])


def masks(results: Path) -> pd.DataFrame:
    """A row a predicted mask in `results`: columns `path` (relative to it), `bytes` and `sha256`."""
    paths = sorted(results.glob("predictions/fold-*/*.nii.gz"))
    rows = [(path.relative_to(results).as_posix(), path.stat().st_size, sha256(path)) for path in paths]
    return pd.DataFrame(rows, columns=["path", "bytes", "sha256"])
