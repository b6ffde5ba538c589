"""The files of a run: one JSON file and one page with the same content."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.gpu_check.check import Check, Result, Verdict
from tests.gpu_check.scale import Scale
from tumorseg.formatting import format_count
from tumorseg.io.files import write_json, write_text
from tumorseg.reporting.shared.html_page import render_page

FORMAT = 1
JSON = "gpu_check.json"
PAGE = "gpu_check.html"


@dataclass
class Report:
    """What a run has found so far.

    machine: facts by title.
    missing: checks that have not run yet, or were not chosen.
    """

    scale: Scale
    machine: Mapping[str, str]
    results: list[tuple[Check, Result]] = field(default_factory=list)
    missing: list[Check] = field(default_factory=list)

    def summary(self) -> str:
        """Return the number of checks with each verdict, as a sentence."""
        counts = Counter(result.verdict for _, result in self.results)
        text = ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict)
        return f"{format_count(len(self.results), 'check')}: {text}"

    def lines(self) -> list[str]:
        """Return a line for each check, those that did not hold last."""
        order = (Verdict.NOT_POSSIBLE, Verdict.HELD, Verdict.FAILED)
        found = sorted(self.results, key=lambda each: order.index(each[1].verdict))
        return [
            f"{result.verdict:<18}{check.name}: {check.claim}" + (f" ({result.reason})" if result.reason else "")
            for check, result in found
        ]

    @property
    def failed(self) -> bool:
        """Whether a claim did not hold, or no check has run."""
        return not self.results or any(result.verdict is Verdict.FAILED for _, result in self.results)

    def to_json(self) -> dict[str, Any]:
        """Return the content of both files as plain JSON types."""
        return {
            "format": FORMAT,
            "summary": self.summary(),
            "machine": dict(self.machine),
            "scale": self.scale.to_json(),
            "checks": [
                {"name": check.name, "claim": check.claim, **result.to_json()} for check, result in self.results
            ],
            "not_run": [check.name for check in self.missing],
        }

    def write(self, folder: Path) -> None:
        """Write both files to a folder."""
        write_json(folder / JSON, self.to_json())
        page = render_page(
            Path(__file__).parent,
            str,
            subject="GPU check",
            sections={
                "verdicts": "What held and what did not",
                "figures": "Figures",
                "machine": "Machine",
                "send": "Send it in",
            },
            report=self,
            failed=Verdict.FAILED,
            json_name=JSON,
        )
        write_text(folder / PAGE, page)
