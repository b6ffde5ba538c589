"""Correct p values for the number of tests."""

from collections.abc import Sequence

import numpy as np


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p values that are corrected for their number.

    The smallest of m p values is multiplied by m, the next one by m - 1, and so on. A corrected value is never below
    that of a smaller p value, and at most 1. Rejecting all tests with a corrected p value of at most 0.05 keeps the
    probability of any wrong rejection at 0.05 or less, however the tests depend on each other.

    Args:
        p_values: the p values of all tests, in any order.

    Returns:
        The corrected p values, in the same order.

    References:
        Holm 1979, A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 6, 65-70.

    Example:
        >>> holm([0.01, 0.04, 0.03])
        [0.03, 0.06, 0.06]
    """
    values = np.asarray(p_values, float)
    order = np.argsort(values, kind="stable")
    steps = values[order] * np.arange(len(values), 0, -1)
    corrected = np.empty_like(values)
    corrected[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return [float(value) for value in corrected]
