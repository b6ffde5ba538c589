"""Read the user's list of cases to exclude, and exclude them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from tumorseg.cohort.user_tables import match_spelling, raise_if_any, with_suggestions
from tumorseg.cohort.validation_result import Issue, ValidationResult
from tumorseg.errors import UserError

_KEY: Final = "cohort.exclude"


def read_exclusions(path: Path, cases: Sequence[str]) -> dict[str, str]:
    """Return the reason of each excluded case, empty if none is given.

    The list has a case per line, optionally followed by a tab and the reason. Empty lines are skipped, and lines that
    start with `#`, unless they name a case.

    Args:
        path: the user's list, in UTF-8.
        cases: names of all cases of the cohort.

    Raises:
        UserError: the list cannot be read, or names a case twice or one that is not in the cohort.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise UserError(f"{path}: cannot read this file ({error.strerror}); correct {_KEY}") from None
    except ValueError as error:
        raise UserError(f"{path}: this is not UTF-8 text ({error}); save it as UTF-8") from None
    known = set(cases)
    lines = [line.removesuffix("\r").partition("\t") for line in text.split("\n")]
    entries = [(match_spelling(name, known), reason.strip()) for name, _, reason in lines]
    entries = [(name, reason) for name, reason in entries if name in known or (name and not name.startswith("#"))]
    unknown = with_suggestions([name for name, _ in entries if name not in known], known)
    raise_if_any(path, "no such case in the cohort", unknown, "correct the name or remove the line")
    repeated = [name for name, count in Counter(name for name, _ in entries).items() if count > 1]
    raise_if_any(path, "more than one line for a case", repeated, "keep one line each")
    return dict(entries)


def exclude_cases(results: Sequence[ValidationResult], reasons: Mapping[str, str]) -> list[ValidationResult]:
    """Return the results with the problem `excluded` for each excluded case, before its other problems.

    Args:
        results: validation results of all cases.
        reasons: reason by excluded case, see `read_exclusions`.
    """
    return [_excluded(result, reasons[result.case]) if result.case in reasons else result for result in results]


def _excluded(result: ValidationResult, reason: str) -> ValidationResult:
    issue = Issue("excluded", result.case, f"{_KEY} lists this case: {reason or 'no reason given'}")
    return replace(result, usable=False, problems=(issue, *result.problems))
