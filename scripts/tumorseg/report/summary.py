"""The report in a few lines of plain text, for the terminal."""

from pathlib import Path
from typing import Final

from tumorseg.pages.words import counted
from tumorseg.report.facts import Facts, FoldFacts

_NAMED_CASES: Final = 10


def summary_text(facts: Facts, report: Path) -> str:
    """Cases used and dropped, the epochs chosen and refused, mean Dice, warnings, and where the report is."""
    lines = [f"Cases: {facts.usable} used, {len(facts.dropped)} dropped"]
    lines += [f"  {finding.case}: {', '.join(finding.codes)}" for finding in facts.dropped[:_NAMED_CASES]]
    if len(facts.dropped) > _NAMED_CASES:
        lines.append(f"  and {len(facts.dropped) - _NAMED_CASES} more, named in the report")
    for fold in facts.folds:
        lines += _fold_lines(fold)
    lines.append(f"Mean Dice of {counted(facts.scored, 'case')}:")
    lines += [f"  {structure.scores['dice']['mean']:.3f}  {structure.name}" for structure in facts.structures.values()]
    lines += [f"WARNING: never predicted, though the references have it: {name}" for name in facts.never_predicted]
    lines.append(f"Report: {report}")
    return "\n".join(lines) + "\n"


def _fold_lines(facts: FoldFacts) -> list[str]:
    fold = facts.fold
    lines = [
        f"Fold {fold.fold}: trained on {counted(facts.trained, 'case')}, {facts.held_out} held out, "
        f"epoch {fold.chosen} chosen ({fold.choose} sound one)"
    ]
    lines += [f"  REFUSED: epoch {refused.epoch}: {'; '.join(refused.messages)}" for refused in fold.refused]
    return lines
