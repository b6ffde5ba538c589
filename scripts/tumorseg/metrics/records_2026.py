"""The scores and counts of BraTS 2025 and 2026, in the order of the columns of their tables.

Their names end in `_2026`. They are in tables of their own, never beside the scores of BraTS 2023 (`registry`), because
they have no value for some cases, and their means leave these cases out.
"""

import math
from collections.abc import Callable
from typing import Final

from tumorseg.metrics.lesions_2026 import WORST_HD95_2026, Detection, LesionScores2026, lesion_scores_2026
from tumorseg.metrics.metric_record import Count, Metric, Place
from tumorseg.metrics.pair import StructurePair


def _scores(pair: StructurePair) -> LesionScores2026:
    return pair.compute_once(_compute)


def _compute(pair: StructurePair) -> LesionScores2026:
    return lesion_scores_2026(pair.reference, pair.prediction, pair.spacing_mm)


def _small(value: Callable[[Detection], float]) -> Callable[[StructurePair], float]:
    """Return a function of a pair: a value of its small lesions, or not a number if there are none."""

    def value_of_pair(pair: StructurePair) -> float:
        small = _scores(pair).small_lesions
        return math.nan if small is None else value(small)

    return value_of_pair


_PAIRS: Final = (
    "Each lesion of the reference forms a pair with at most one component of the prediction, so that the sum of the "
    "Dice of all pairs is as large as possible; both are 26-connected, and a pair has a Dice of at least 0.000001"
)
_NO_PAIR: Final = "without a pair; no value if both masks are empty"
_LARGE: Final = "the pairs of lesions of at least 20 mm³"
_NO_LARGE: Final = "without a pair; no value without a lesion of this size"
_NO_SHARED: Final = "if the masks share no voxel; no value if both are empty"


CHALLENGE: Final = "BraTS 2025 and 2026"


def _places(name: str) -> tuple[Place, ...]:
    return ("terminal", "ranking") if name.startswith("lesion_") else ("report",)


def _needs_lesion_size(name: str) -> bool:
    return name.startswith(("large_", "small_"))


def _share(name: str, value: Callable[[StructurePair], float], title: str, definition: str) -> Metric:
    """Return the record of a score from 0 to 1."""
    return Metric(
        name,
        value,
        title,
        definition,
        better="higher",
        best=1,
        worst=0,
        counts_empty=True,
        places=_places(name),
        challenge=CHALLENGE,
        needs_lesion_size=_needs_lesion_size(name),
    )


def _hd95(name: str, value: Callable[[StructurePair], float], title: str, definition: str, unit: str) -> Metric:
    """Return the record of an HD95."""
    return Metric(
        name,
        value,
        title,
        definition,
        better="lower",
        best=0,
        worst=WORST_HD95_2026,
        counts_empty=True,
        unit=unit,
        decimals=1,
        places=_places(name),
        challenge=CHALLENGE,
        needs_lesion_size=_needs_lesion_size(name),
    )


METRICS_2026: Final = (
    _share(
        "lesion_f1_2026",
        lambda pair: _scores(pair).lesions.f1,
        "Lesion F1",
        f"2 F / (2 F + M + N), with the numbers of found lesions F, missed lesions M and false components N. {_PAIRS}. "
        "No value if both masks are empty",
    ),
    _share(
        "lesion_dice_2026",
        lambda pair: _scores(pair).pairs.dice,
        "Dice of pairs",
        f"mean Dice of the pairs of `lesion_f1_2026`. 0 {_NO_PAIR}",
    ),
    _share(
        "lesion_nsd_2026",
        lambda pair: _scores(pair).pairs.nsd,
        "NSD of pairs",
        "mean normalised surface Dice of the pairs: the mean of the shares of the border voxels of both masks whose "
        "distance to the other border is at most the shortest voxel edge. A border voxel has one of its six face "
        f"neighbours outside the mask. 0 {_NO_PAIR}",
    ),
    _hd95(
        "lesion_hd95_2026",
        lambda pair: _scores(pair).pairs.hd95_mm,
        "HD95 of pairs",
        "mean HD95 of the pairs, mm: the 95th percentile of the distances of the border voxels of both masks to the "
        f"other border, all together. 373 {_NO_PAIR}",
        "mm",
    ),
    _share(
        "large_dice_2026",
        lambda pair: _scores(pair).large_pairs.dice,
        "Dice of large lesions",
        f"for metastases: mean Dice of {_LARGE}. 0 {_NO_LARGE}",
    ),
    _share(
        "large_nsd_2026",
        lambda pair: _scores(pair).large_pairs.nsd,
        "NSD of large lesions",
        f"for metastases: mean normalised surface Dice of {_LARGE}. 0 {_NO_LARGE}",
    ),
    _hd95(
        "large_hd95_2026",
        lambda pair: _scores(pair).large_pairs.hd95_mm,
        "HD95 of large lesions",
        f"for metastases, mm: mean HD95 of {_LARGE}. 373 {_NO_LARGE}",
        "mm",
    ),
    _share(
        "small_f1_2026",
        _small(lambda small: small.f1),
        "F1 of small lesions",
        "for metastases: F1 of the lesions of less than 20 mm³, as `lesion_f1_2026`. A small lesion is found if it has "
        "a pair with a Dice of at least 0.1. All false components count, of any size. No value without a small lesion",
    ),
    _share(
        "global_dice_2026",
        lambda pair: _scores(pair).whole.dice,
        "Global Dice",
        f"Dice of the whole structure. 0 {_NO_SHARED}",
    ),
    _share(
        "global_nsd_2026",
        lambda pair: _scores(pair).whole.nsd,
        "Global NSD",
        "normalised surface Dice of the whole structure, with a tolerance of half a voxel, whatever its size. "
        f"0 {_NO_SHARED}",
    ),
    _hd95(
        "global_hd95_2026",
        lambda pair: _scores(pair).whole.hd95_voxels,
        "Global HD95",
        f"HD95 of the whole structure, in voxels, whatever their size. 373 {_NO_SHARED}",
        "voxels",
    ),
)
COUNTS_2026: Final = (
    Count("lesions_found_2026", lambda pair: _scores(pair).lesions.found, "lesions of all cases with a pair"),
    Count("lesions_missed_2026", lambda pair: _scores(pair).lesions.missed, "lesions of all cases without a pair"),
    Count("lesions_false_2026", lambda pair: _scores(pair).lesions.false, "components of all cases without a pair"),
    Count(
        "small_found_2026",
        _small(lambda small: small.found),
        "lesions of less than 20 mm³ of all cases in a pair with a Dice of at least 0.1",
    ),
    Count("small_missed_2026", _small(lambda small: small.missed), "other lesions of less than 20 mm³ of all cases"),
    Count(
        "small_false_2026",
        _small(lambda small: small.false),
        "components without a pair, of any size, of the cases with lesions of less than 20 mm³",
    ),
    Count("lesion_dice_std_2026", lambda pair: _scores(pair).pairs.dice_std),
    Count("lesion_nsd_std_2026", lambda pair: _scores(pair).pairs.nsd_std),
    Count("lesion_hd95_std_2026", lambda pair: _scores(pair).pairs.hd95_std_mm),
    Count("large_dice_std_2026", lambda pair: _scores(pair).large_pairs.dice_std),
    Count("large_nsd_std_2026", lambda pair: _scores(pair).large_pairs.nsd_std),
    Count("large_hd95_std_2026", lambda pair: _scores(pair).large_pairs.hd95_std_mm),
)
"""The standard deviations are those over the pairs of a case."""


def columns_2026() -> tuple[str, ...]:
    """Return the number columns of a table of these scores: the scores, then the counts."""
    return tuple(record.name for record in (*METRICS_2026, *COUNTS_2026))
