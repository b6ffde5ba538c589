"""The verdict on a case, and the file that holds the verdicts of a batch."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tumorseg.errors import Message
from tumorseg.files import read_json, write_json

FORMAT = 1


@dataclass(frozen=True)
class Finding:
    """Something about a file.

    code: one of `codes`. file: its path relative to the root, or the case where it is about no single file.
    """

    code: str
    file: str
    message: Message


@dataclass(frozen=True)
class Verdict:
    """What is known of a case after every file of it has been read.

    problems drop the case, warnings do not. facts, as far as they could be found: `shape`, `spacing`, `affine` of its
    images, and `oriented`, false, where their headers give no orientation; `intensities` of each modality, see
    `images.intensity_facts`; `brain_voxels`, their number, estimated from samples; `background` of each modality
    without problems, see `Background`; `labels`, voxels for each value that the mask has on disk; `label_1`, `label_2`,
    `label_4`, voxels by inside label; `convention` of the mask, null where it shows no enhancing tumour;
    `tumour_crc32`, equal for equal masks, however they are written; `files`, for each role `path`, `bytes`, `digest`
    (see `Volume`), `voxels` (their number) and, of an image, `sample_digest`, that of its sampled values, equal for
    equal images, however they are written; `other_files`, of those that are damaged or not taken, `role`, `path`,
    `bytes` and `digest`, null where the file is too large to be read or cannot be; `not_understood`, the
    names of what may be images of the case and has no role; `patient`, where its place says it.
    """

    case: str
    usable: bool
    problems: tuple[Finding, ...]
    warnings: tuple[Finding, ...]
    facts: dict[str, Any]

    def reasons(self) -> list[str]:
        """The problems in words; see `in_words`."""
        return [in_words(finding, self.case) for finding in self.problems]


def in_words(finding: Finding, case: str) -> str:
    """A finding about a case: the file, by its path within the case folder, where it is about one; the message."""
    if finding.file == case:
        return finding.message
    return f"{finding.file.removeprefix(f'{case}/')}: {finding.message}"


def write_verdicts(path: Path, verdicts: Sequence[Verdict]) -> None:
    """Write the verdicts of a batch as JSON."""
    write_json(path, {"format": FORMAT, "cases": [asdict(verdict) for verdict in verdicts]})


def read_verdicts(path: Path) -> list[Verdict]:
    """The verdicts that `write_verdicts` wrote."""
    return [_verdict(content) for content in read_json(path)["cases"]]


def _verdict(content: dict[str, Any]) -> Verdict:
    findings = {key: tuple(Finding(**finding) for finding in content[key]) for key in ("problems", "warnings")}
    return Verdict(**{**content, **findings})
