"""Find mistakes in the targets of the command line."""

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Any, Final

from tumorseg.errors import Message

_READ_BY: Final = {"patients": "segment", "predictions": "score", "references": "score"}
"""Short forms on the command line, with the only target that reads each."""


def target_mistakes(targets: Collection[str], command_line: Mapping[str, Any]) -> list[Message]:
    """Return a sentence for each target that is a setting, and for a folder that no target reads.

    Without the second check, `snakemake --config patients=DIR` would start the whole workflow.

    Args:
        targets: of the command line; empty for the default target.
        command_line: values of `--config`.
    """
    settings = [
        f"{target} is a setting, not a target: write --config {target}, after all targets"
        for target in sorted(targets)
        if "=" in target
    ]
    unread = [
        f"--config {name}: only the target {target} reads it; write: snakemake {target} --config {name}=DIR"
        for name, target in _READ_BY.items()
        if name in command_line and not any(one == target or f"results/{target}" in one for one in targets)
    ]
    return [*settings, *unread[:1]]


def target_hint(target: str, rules: Collection[str]) -> Message:
    """Return a hint for a target that does not exist. rules: names of all rules."""
    close = get_close_matches(target, sorted(rules), n=1)
    return " ".join([*([f"Did you mean {close[0]}?"] if close else []), "`snakemake help` lists the targets."])
