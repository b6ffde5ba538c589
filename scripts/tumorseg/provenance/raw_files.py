"""The raw files that a run has read, with their digests."""

from collections.abc import Iterable

import pandas as pd

from tumorseg.cohort.verdict import Verdict


def table(verdicts: Iterable[Verdict]) -> pd.DataFrame:
    """A row a file that could be read to its end, of usable cases and of dropped ones, by case and role.

    Columns `case`, `usable` (true or false, of the case by itself), `role` (t1, t1ce, t2, flair, seg), `path` (relative
    to the cohort's folder), `bytes` (on disk) and `xxh3_128` (of these bytes, hexadecimal).
    """
    rows = [
        {
            "case": verdict.case,
            "usable": str(verdict.usable).lower(),
            "role": role,
            "path": file["path"],
            "bytes": file["bytes"],
            "xxh3_128": file["digest"],
        }
        for verdict in verdicts
        for role, file in verdict.facts.get("files", {}).items()
    ]
    columns = ["case", "usable", "role", "path", "bytes", "xxh3_128"]
    return pd.DataFrame(rows, columns=columns).sort_values(["case", "role"])
