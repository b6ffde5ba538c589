"""Bootstrap confidence intervals of means over cases; patients are resampled."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tumorseg.cohort.patients import patients_from_names


class Bootstrap:
    """The percentile interval of the mean (Efron and Tibshirani 1993, chapter 13), patients drawn with replacement.

    All cases of a patient come and go together, since they are alike. Every number is taken from the same draws.
    """

    def __init__(
        self,
        cases: Sequence[str],
        *,
        confidence: float,
        samples: int,
        seed: int,
        patients: Mapping[str, str] | None = None,
    ) -> None:
        """patients: the patient of each case; None: by their names."""
        of = patients or patients_from_names(cases)
        names, self._patient_of = np.unique([of[case] for case in cases], return_inverse=True)
        self._draws = np.random.default_rng(seed).integers(len(names), size=(samples, len(names)))
        self._counts = np.bincount(self._patient_of)
        self._drawn_cases = self._counts[self._draws].sum(axis=1)
        self._tail = (1 - confidence) / 2

    def describe(self, values: NDArray[np.float64]) -> dict[str, float]:
        """n, mean, median, q1, q3 (quartiles), low and high (interval of the mean) of one value for each case."""
        q1, median, q3 = np.quantile(values, [0.25, 0.5, 0.75])
        sums = np.bincount(self._patient_of, weights=values)
        means = sums[self._draws].sum(axis=1) / self._drawn_cases
        low, high = np.quantile(means, [self._tail, 1 - self._tail])
        numbers = {"mean": values.mean(), "median": median, "q1": q1, "q3": q3, "low": low, "high": high}
        return {"n": len(values), **{name: float(number) for name, number in numbers.items()}}
