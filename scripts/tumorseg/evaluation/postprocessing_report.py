"""Tables and texts of the target `postprocessing`: the candidates, the choice as a configuration file, the gains."""

from collections.abc import Sequence
from textwrap import wrap
from typing import Final

import numpy as np
import pandas as pd
import yaml
from numpy.typing import NDArray

from tumorseg.configuration.postprocessing_candidates import Candidate, settings_in_use
from tumorseg.evaluation.postprocessing_choice import MEAN, Choices, mean_over_structures, mean_structures
from tumorseg.formatting import format_list
from tumorseg.metrics.registry import metric
from tumorseg.task import Task

_ONLY_ABSENT: Final = (
    "The gain comes only from cases without the structure: they score 1 instead of 0 once the prediction lacks it too."
)


def candidate_table(
    dice: NDArray[np.float64], candidates: Sequence[Candidate], choices: Choices, task: Task
) -> pd.DataFrame:
    """Return the settings of each candidate, its mean Dice over all cases, and the folds for which it was chosen.

    Args:
        dice: float64 (cases, candidates, structures).
        candidates: settings of post-processing.
        choices: the chosen candidates.
        task: defines the structures.
    """
    chosen_for = [
        [str(fold) for fold, one in choices.by_fold.items() if one == number] for number in range(len(dice[0]))
    ]
    chosen_for[choices.overall].append("all")
    means, structures = mean_over_structures(dice, task).mean(axis=0), dice.mean(axis=0)
    return pd.DataFrame(
        [
            {
                **{f"remove_{region}": volume for region, volume in candidate["remove_components"].items()},
                "min_enhancing_mm3": candidate["min_enhancing_mm3"],
                "fill_holes": str(candidate["fill_holes"]).lower(),
                "dice": means[number],
                **{f"dice_{name}": structures[number, index] for index, name in enumerate(task.structures)},
                "chosen_for": ", ".join(chosen_for[number]),
            }
            for number, candidate in enumerate(candidates)
        ]
    )


def choice_yaml(candidates: Sequence[Candidate], choices: Choices, gains: pd.DataFrame, task: Task) -> str:
    """Return the settings chosen on all folds as a configuration file, with comments about what they are worth.

    Args:
        candidates: settings of post-processing.
        choices: the chosen candidates.
        gains: table of `gain_table`.
        task: defines the structures.
    """
    mean = gains.set_index(["region", "score"]).loc[(MEAN, "dice")]
    notes = [
        f"The best of {len(candidates):,} candidates by mean Dice on the {mean['cases']:,} held-out cases of "
        f"{len(choices.by_fold)} folds. The mean is over {format_list(mean_structures(task))}.",
        "Its own score on these cases is not a fair estimate, because it was chosen on them.",
        "A fair estimate, by cross-fitting, is in gains.csv: the gain in mean Dice is "
        f"{mean['gain']:+.4f}, interval {mean['low']:+.4f} to {mean['high']:+.4f}.",
        *_verdict(mean["low"], mean["high"]),
        *([_ONLY_ABSENT] if mean["only_absent"] == "true" else []),
    ]
    comments = "".join(f"# {line}\n" for note in notes for line in wrap(note, 100))
    chosen = {"prediction": dict(candidates[choices.overall])}
    return comments + yaml.safe_dump(chosen, sort_keys=False, default_flow_style=None)


def _verdict(low: float, high: float) -> list[str]:
    """Return what the interval of the gain says against using the choice, if anything."""
    if low > 0:
        return []
    if high < 0:
        return ["The whole interval is below 0: this post-processing lowered the mean Dice. Do not use it."]
    return ["The interval contains 0, so there is no evidence of a gain."]


def describe(candidate: Candidate) -> str:
    """Return the settings of a candidate that may change a mask on one line, such as `remove_components: {ET: 50}`."""
    used = settings_in_use(candidate)
    text = yaml.safe_dump(used, sort_keys=False, default_flow_style=True, width=10**6).strip()
    return text[1:-1] if used else "no post-processing"


def gain_lines(gains: pd.DataFrame, confidence: float) -> list[str]:
    """Return the table of gains for the terminal, with a mark at gains that only cases without the structure have.

    Args:
        gains: table of `gain_table`.
        confidence: of the intervals, between 0 and 1.
    """
    header = ["region", "score", "before", "after", "gain", f"{confidence:.0%} interval", "with it", "without it", ""]
    rows = [
        [
            *(row.region, metric(row.score).title),
            *(f"{row.before:.4f}", f"{row.after:.4f}", f"{row.gain:+.4f}", f"{row.low:+.4f} to {row.high:+.4f}"),
            _part(row.gain_present, row.present),
            _part(row.gain_absent, row.absent),
            "*" if row.only_absent == "true" else "",
        ]
        for row in gains.itertuples()
    ]
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    lines = [
        "  ".join([*map(str.ljust, row[:2], widths[:2]), *map(str.rjust, row[2:], widths[2:])]).rstrip()
        for row in [header, *rows]
    ]
    lines.append(
        "with it, without it: gain in the cases (n) whose reference has the structure, and in those without it"
    )
    if (gains["only_absent"] == "true").any():
        lines.append(f"*: {_ONLY_ABSENT}")
    return lines


def _part(gain: float, count: int) -> str:
    return f"{gain:+.4f} ({count})" if count else "– (0)"
