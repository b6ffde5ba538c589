"""The problems and warnings of cases, and the warnings that all cases share."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from tumorseg.cohort.validation_result import WARNING_CODES, ValidationResult


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


@dataclass(frozen=True)
class SharedWarning:
    """A warning that all usable cases have, such as voxels of 2.5 mm.

    Attributes:
        code: its code.
        text: its message if it is the same in all cases, else the meaning of the code.
    """

    code: str
    text: str


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


def shared_warnings(manifest: pd.DataFrame, results: Sequence[ValidationResult]) -> list[SharedWarning]:
    """Return the warnings that all usable cases have, sorted by code; none if there is a single usable case.

    Args:
        manifest: the manifest of the cohort.
        results: the validation results of all cases.
    """
    usable = manifest[manifest["usable"]]
    if len(usable) < 2:
        return []
    common = set.intersection(*({code for code in codes.split(",") if code} for codes in usable["warnings"]))
    cases = set(usable["case"])
    messages: dict[str, set[str]] = {code: set() for code in sorted(common)}
    for result in results:
        for issue in result.warnings if result.case in cases else ():
            if issue.code in messages:
                messages[issue.code].add(str(issue.message))
    return [
        SharedWarning(code, f"{texts.pop()}." if len(texts) == 1 else WARNING_CODES[code])
        for code, texts in messages.items()
    ]


def _flagged_cases(rows: pd.DataFrame, column: str) -> list[FlaggedCase]:
    return [
        FlaggedCase(row["case"], tuple(row[column].split(",")), tuple(row["detail"].split(" | ")))
        for row in rows.to_dict("records")
    ]
