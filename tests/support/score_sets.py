"""Made-up scores of several folders, as the script `score` collects them."""

from dataclasses import replace

import numpy as np
import pandas as pd

from tumorseg.evaluation.score_set import ScoreSet
from tumorseg.metrics.comparison import compare
from tumorseg.metrics.records_2026 import METRICS_2026
from tumorseg.metrics.registry import columns, metrics
from tumorseg.metrics.summary import summarise
from tumorseg.metrics.summary_2026 import summarise_2026
from tumorseg.task import load_task

TASK = load_task()
SETTINGS = {"confidence": 0.95, "bootstrap_samples": 100, "seed": 1}
MASKS = {"references": 0, "missing": [], "unusable": [], "without_reference": [], "notes": [], "hints": []}


def scores_of(dice: float, cases: list[str], seed: int = 0) -> pd.DataFrame:
    """Return a table of scores whose Dice is around a value."""
    rng = np.random.default_rng(seed)
    rows = []
    for case in cases:
        for region in TASK.structures:
            row = {"case": case, "fold": -1, "region": region, **dict.fromkeys(columns(), 1)}
            row |= {metric.name: float(np.clip(dice + rng.normal(0, 0.02), 0, 1)) for metric in metrics()}
            row |= {name: 100 * (1 - dice) + rng.uniform() for name in ("hd95", "hd95_border", "lesionwise_hd95")}
            rows.append(row)
    return pd.DataFrame(rows)


def score_set(folders: dict[str, pd.DataFrame], baseline: str | None = None, **masks) -> ScoreSet:
    """Return the scores of folders. masks: entries of the summary of each folder about its masks, by folder."""
    confusion = np.eye(TASK.classes, dtype=np.int64)
    summaries = {}
    for name, table in folders.items():
        confusions = dict.fromkeys(table["case"].unique(), confusion)
        summary = summarise(table, confusions, task=TASK, surface_tolerance_mm=1, **SETTINGS)
        summaries[name] = {**summary, **MASKS, "references": summary["cases"], **masks.get(name, {})}
    comparison = compare(folders, task=TASK, baseline=baseline, **SETTINGS) if len(folders) > 1 else None
    return ScoreSet("2023", "Scores in general use and of BraTS 2023", metrics(), folders, summaries, comparison)


def score_set_2026(folders: dict[str, pd.DataFrame]) -> ScoreSet:
    """Return scores of BraTS 2025 and 2026: the Dice of the tables, or no value where it is 1."""
    named = {
        name: table.assign(
            **{
                metric.name: np.where(table["dice"] == 1, np.nan, table["dice"] * (metric.worst or 1))
                for metric in METRICS_2026
            },
            **dict.fromkeys(("lesions_found_2026", "lesions_missed_2026", "lesions_false_2026"), 1),
            **dict.fromkeys(("small_found_2026", "small_missed_2026", "small_false_2026"), 0),
        )[["case", "fold", "region", *(metric.name for metric in METRICS_2026), *COUNTS]]
        for name, table in folders.items()
    }
    summaries = {name: {**summarise_2026(table, task=TASK, **SETTINGS), **MASKS} for name, table in named.items()}
    comparison = compare(named, task=TASK, scores=METRICS_2026, **SETTINGS) if len(folders) > 1 else None
    return replace(
        ScoreSet("2026", "Scores of BraTS 2025 and 2026", METRICS_2026, named, summaries, None), comparison=comparison
    )


COUNTS = [f"{kind}_{found}_2026" for kind in ("lesions", "small") for found in ("found", "missed", "false")]
