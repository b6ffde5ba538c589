"""The cases with problems, and those with warnings that not all cases share."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from tumorseg.reporting.shared.shared_warnings import SharedWarning


@dataclass(frozen=True)
class FlaggedCase:
    """A case with problems or warnings.

    Attributes:
        case: the case id.
        codes: codes of its problems or warnings.
        messages: messages of its problems.
    """

    case: str
    codes: tuple[str, ...]
    messages: tuple[str, ...]


def dropped_cases(manifest: pd.DataFrame) -> list[FlaggedCase]:
    """Return the dropped cases with their problems. manifest: the manifest of the cohort."""
    return _flagged_cases(manifest[~manifest["usable"]], "problems")


def cases_with_warnings(manifest: pd.DataFrame, shared: Sequence[SharedWarning]) -> list[FlaggedCase]:
    """Return the usable cases with warnings that not all cases share.

    Args:
        manifest: the manifest of the cohort.
        shared: the warnings that all cases share, which are left out.
    """
    left_out = {warning.code for warning in shared}
    rows = manifest[manifest["usable"]].copy()
    rows["warnings"] = [
        ",".join(code for code in codes.split(",") if code not in left_out) for codes in rows["warnings"]
    ]
    return _flagged_cases(rows[rows["warnings"] != ""], "warnings")


def _flagged_cases(rows: pd.DataFrame, column: str) -> list[FlaggedCase]:
    return [
        FlaggedCase(row["case"], tuple(row[column].split(",")), tuple(row["detail"].split(" | ")))
        for row in rows.to_dict("records")
    ]
