"""Bootstrap confidence intervals of means over cases, by resampling patients."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tumorseg.cohort.patients import patients_from_names

FEW_CASES: Final = 10
"""With fewer cases, a bootstrap interval is too narrow: pages and tables for papers leave it out."""
_DRAWS_AT_ONCE: Final = 256
"""Draws that are counted together, so that memory stays small for large cohorts."""


class Bootstrap:
    """Percentile bootstrap of the mean over cases. Patients are drawn with replacement.

    The cases of a patient are similar, so they are drawn together. All scores of a cohort use the same draws.

    References:
        Efron and Tibshirani 1993, An Introduction to the Bootstrap, chapter 13.

    Example:
        >>> bootstrap = Bootstrap(["a", "b"], confidence=0.95, samples=100, seed=1)
        >>> bootstrap.describe(np.array([0.5, 0.7]))["mean"]
        0.6
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
        """Draw the patients.

        Args:
            cases: names of the cases.
            confidence: of the interval, between 0 and 1.
            samples: number of draws.
            seed: of the random generator.
            patients: the patient of each case; None derives them from the names of the cases.
        """
        patient_by_case = patients or patients_from_names(cases)
        names, self._patient_of = np.unique([patient_by_case[case] for case in cases], return_inverse=True)
        self._draws = np.random.default_rng(seed).integers(len(names), size=(samples, len(names)))
        self._counts = np.bincount(self._patient_of)
        self._drawn_cases = self._counts[self._draws].sum(axis=1)
        self._tail = (1 - confidence) / 2

    def describe(self, values: NDArray[np.float64]) -> dict[str, float]:
        """Return statistics of one value per case: n, mean, median, q1 and q3 (quartiles), low and high (interval).

        Args:
            values: one value per case, float64 (cases,), in the order of `cases`.

        Returns:
            Each statistic by name. low and high are the ends of the confidence interval of the mean.
        """
        q1, median, q3 = np.quantile(values, [0.25, 0.5, 0.75])
        sums = np.bincount(self._patient_of, weights=values)
        means = sums[self._draws].sum(axis=1) / self._drawn_cases
        low, high = np.quantile(means, [self._tail, 1 - self._tail])
        numbers = {"mean": values.mean(), "median": median, "q1": q1, "q3": q3, "low": low, "high": high}
        return {"n": len(values), **{name: float(number) for name, number in numbers.items()}}

    def resampled_means(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the mean over the drawn cases, for each draw.

        Args:
            values: values of each case, float64 (cases, columns), in the order of `cases`.

        Returns:
            The means, float64 (samples, columns).
        """
        patients = len(self._counts)
        sums = np.zeros((patients, values.shape[1]))
        np.add.at(sums, self._patient_of, values)
        means = np.empty((len(self._draws), values.shape[1]))
        for first in range(0, len(self._draws), _DRAWS_AT_ONCE):
            draws = self._draws[first : first + _DRAWS_AT_ONCE]
            row = np.arange(len(draws))[:, None] * patients
            times_drawn = np.bincount((draws + row).ravel(), minlength=len(draws) * patients)
            means[first : first + _DRAWS_AT_ONCE] = times_drawn.reshape(-1, patients) @ sums
        resampled: NDArray[np.float64] = means / self._drawn_cases[:, None]
        return resampled


class Bootstraps:
    """The bootstrap of each subset of some cases, drawn once. Scores with the same cases use the same draws."""

    def __init__(
        self,
        cases: Sequence[str],
        *,
        confidence: float,
        samples: int,
        seed: int,
        patients: Mapping[str, str] | None = None,
    ) -> None:
        """Keep the arguments, which are those of `Bootstrap`."""
        self._cases = cases
        self._confidence, self._samples, self._seed = confidence, samples, seed
        self._patients = patients
        self._drawn: dict[bytes, Bootstrap] = {}

    @property
    def patients(self) -> int:
        """The number of patients of all cases."""
        patient_by_case = self._patients or patients_from_names(self._cases)
        return len({patient_by_case[case] for case in self._cases})

    def of(self, counted: NDArray[np.bool_]) -> Bootstrap:
        """Return the bootstrap of the cases that count.

        Args:
            counted: whether each case counts, bool (cases,). At least one does.
        """
        key = counted.tobytes()
        if key not in self._drawn:
            self._drawn[key] = Bootstrap(
                [case for case, counts in zip(self._cases, counted, strict=True) if counts],
                confidence=self._confidence,
                samples=self._samples,
                seed=self._seed,
                patients=self._patients,
            )
        return self._drawn[key]
