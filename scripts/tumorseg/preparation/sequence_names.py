"""Recognise an MR sequence by the words of its description or file name."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tumorseg.cohort.layouts.synonyms import contrast_of_name, simplify_name

T1: Final = "t1"
T1CE: Final = "t1ce"
T2: Final = "t2"
FLAIR: Final = "flair"
_BEFORE_AND_AFTER: Final = "its name means both before and after contrast agent"


@dataclass(frozen=True)
class NameClues:
    """What the name of an image says about its sequence.

    Attributes:
        contrast: `t1`, `t2` or `flair`, whatever the contrast agent; None if the name does not say.
        agent: whether the image was made after contrast agent; None if the name does not say.
        other: what the image is instead of a contrast of tumours, such as `a localizer`; empty if nothing says so.
        fat_saturated: whether fat is suppressed.
    """

    contrast: str | None
    agent: bool | None
    other: str
    fat_saturated: bool


# Matched in lower case, with blanks in place of all signs but + and *. The first match is the reason.
_OTHER_IMAGES: Final[tuple[tuple[str, str], ...]] = (
    (
        "a localizer",
        r"lo[ck]ali[sz]|\bloc\b|\w+bersicht|\bscout|scout\b|\bsurvey|\b(3|three|tri) ?plane?s?\b|smart ?brain",
    ),
    ("a calibration scan", r"\bcal(ib\w*)?\b|\basset\b|\bref(erence)? ?scan|\bb[01] ?map|field ?map|\bsense ref|shim"),
    (
        "a diffusion image or map",
        r"\badc\b|\be?adc ?map|apparent|\bd[wt]i\b|\bdiff|\bresolve\b|\btracew?\b|\bfa ?map|\bb ?\d{3,4}\b|\bnoddi\b",
    ),
    (
        "a perfusion image or map",
        r"perf|\bdsc\b|\bdce\b|\bp?c?asl\b|\b(rel|r)?cb[fv]\b|\bmtt\b|\bttp\b|\btmax\b|k ?trans|\bpwi\b"
        r"|\bdyn(amic|a)?\b",
    ),
    (
        "a susceptibility or T2* image",
        r"\bswi\b|\bswan\b|suscept|\bt2 ?(\*|star)|\bt2s\b|\bhemo|\bqsm\b|\bvenobold"
        r"|\bt2\w*\b.*\b(gre|ffe|fl2d|flash)\b|\b(gre|ffe)\b.*\bt2",
    ),
    ("an angiography", r"\bmr[av]\b|\btof\b|angio|veno|\bcow\b|\binhance\b|\bpca\b|\bvessel"),
    ("a spectroscopy", r"spectro|\bmrs\b|\bcsi\b|\bsvs\b"),
    ("a functional series", r"\bfmri\b|\bbold\b|\bresting|\bep2d\b|\bepi\b"),
    ("a projection (MIP)", r"\bm(ax)? ?ip\b|\bmin ?ip\b|projection"),
    ("a subtraction", r"\bsub\b|subtract\w*|\bdifference"),
    ("a map or a synthetic image", r"\bmap(s|ping)?\b|\bt[12] ?rho\b|mp2rage|\bsynthetic|\bsymri|\bmagic\b|\bphase\b"),
    ("a proton density image", r"\bpdw?\b|proton"),
    ("an image with suppressed fat (STIR)", r"\bstir\b"),
    ("a sequence for the inner ear", r"\bciss\b|\bfiesta\b|\biac\b|\bb ?ffe\b"),
    ("a flow or cine series", r"\bcine\b|\bflow\b"),
    ("a report or screen shot", r"report|screen|\bsecondary|\bdose\b|phoenix|key ?image|presentation"),
    (
        "an image of another body part",
        r"spin(e|al)\b|\bc ?spine|cervic|lumb|thora|\bknee|shoulder|abdom|liver|prostat|pelvi|breast|mamm|heart|cardi"
        r"|\bneck\b|orbit|pituit|hypoph|\bsella|\bhip\b|ankle|wrist|\bhws\b|\bbws\b|\blws\b|\bsacr",
    ),
)
_OTHER_PATTERNS: Final = tuple((what, re.compile(pattern)) for what, pattern in _OTHER_IMAGES)
_MASK: Final = re.compile(r"\bmasks?\b|\bseg(m|mented|mentations?)?\b|\blabels?\b|\brois?\b|\bgt\b|\btumou?r\b")
_PROCESSED: Final = re.compile(
    r"\b(brain|bet|ss|(skull ?)?stripped|n4\w*|bias\w*|norm(ali[sz]ed)?|reg|registered|coreg\w*|warped|mni\w*|atlas"
    r"|sri\d*|resampled|zscored?|cropped|denoised|corrected|preproc\w*)\b"
)
_NOT_CONTRAST: Final = re.compile(
    r"\b(pre|post) ?(op\w*|surg\w*|rt|radi\w*|chem\w*|treat\w*|trt|proc\w*|ict\w*|scan|sat\w*)\b"
)
"""`before` and `after` something other than contrast agent."""
_AGENT: Final = r"(contrast\w*|kontrast\w*|gad\w*|gd|km|mdc|inj\w*|ce|c)"
_BEFORE: Final = re.compile(
    rf"\bpre ?{_AGENT}\b|\bpre\b|\b(no|non|without|wo|w o|ohne|vor|sans|sin|senza|zonder|voor|before) ?{_AGENT}\b"
    r"|\bnative?\b|\bnativ\w*|\bunenhanced\b|\bnce\b"
)
_AFTER: Final = re.compile(
    rf"\bpost ?{_AGENT}?\b|\+ ?{_AGENT}\b|\bc ?\+|\b(gd|gad\w*|km|mdc|ce|contrast\w*|kontrast\w*|enhanced|enh)\b"
    r"|\b(dotarem|gadovist|magnevist|prohance|multihance|omniscan|clariscan|vueway|elucirem)\b"
)
_WITH_AND_WITHOUT: Final = re.compile(r"\bw(ith)? (and )?(wo|w o|without)\b|\b(wo|w o|without) (and )?w(ith)?\b")
_FAT_SATURATED: Final = re.compile(r"\bfs\b|fat ?sat|\bfatsat|\bspir\b|\bspair\b|\bfat ?sup")
_T1_SEQUENCES: Final = re.compile(r"\bmp ?rage\b|\bbravo\b|\bf?spgr\b|\btfl ?3d\b|\b3d ?tfl\b")
_DARK_FLUID: Final = re.compile(r"\bda ?fl\b|\bdark ?fluid")
_T1_FLAIR: Final = re.compile(r"\bt1w? ?(tirm|flair)\b|\bflair ?t1w?\b")
"""An inversion recovery with the contrast of a T1."""
_AFFIXES: Final = re.compile(
    r"^(ax|axial|sag|sagittal|cor|coronal|tra|trans|[23]d|s(?=t1w|t2w)|e(?=flair|t1w|t2w))+"
    r"|(?<=..)(w|tra|ax|sag|cor|[23]d|fs|iso|tse|fse|se|ffe|tfe|mprage|spc|cube|vista)+$"
)
"""Planes and kinds of sequences that are written without a blank before or after the contrast."""
_MAX_PARTS: Final = 3


def read_name(name: str) -> NameClues:
    """Return what a series description, or the name of a file, says about the sequence.

    Args:
        name: the text, in any spelling: `T1 MPRAGE +C`, `ax_t2_flair`, `SAG T1 PRE`.

    Example:
        >>> read_name("AX T1 POST GD").agent
        True
    """
    text = _NOT_CONTRAST.sub(" ", _plain_text(name))
    other = next((what for what, pattern in _OTHER_PATTERNS if pattern.search(text)), "")
    found = set(_contrasts(text))
    rest = _BEFORE.sub(" ", text)
    before, after = rest != text, T1CE in found or _AFTER.search(rest) is not None
    contrasts = {T1 if contrast == T1CE else contrast for contrast in found}
    if not contrasts and _T1_SEQUENCES.search(text):
        contrasts = {T1}
    if _DARK_FLUID.search(text):
        contrasts.add(FLAIR)
    if contrasts == {T2, FLAIR}:
        contrasts = {FLAIR}
    elif contrasts == {T1, FLAIR} and _T1_FLAIR.search(text):
        contrasts = {T1}
    if len(contrasts) > 1:
        other = other or f"an image with several contrasts in its name ({', '.join(sorted(contrasts))})"
    if (before and after) or _WITH_AND_WITHOUT.search(text):
        other = other or _BEFORE_AND_AFTER
    return NameClues(
        contrast=next(iter(contrasts)) if len(contrasts) == 1 else None,
        agent=after if before != after else None,
        other=other,
        fat_saturated=_FAT_SATURATED.search(text) is not None,
    )


def is_mask_name(name: str) -> bool:
    """Return whether a file is named like a mask: of a tumour, a brain or anything else."""
    return _MASK.search(_plain_text(name)) is not None


def is_processed_name(name: str) -> bool:
    """Return whether a file is named like a processed version of an image, such as `t1_brain` or `t1_to_mni`."""
    return _PROCESSED.search(_plain_text(name)) is not None


def _plain_text(name: str) -> str:
    """Return a name in lower case with blanks in place of signs. `T1Post` becomes `t1 post`."""
    name = re.sub(r"\b(sub|ses)-[A-Za-z0-9]+", " ", name)  # entities of BIDS
    separated = re.sub(r"(?<=[a-z0-9])(?=(?:Post|Pre|Gd|Gad|Contrast)(?:[A-Z_\W]|$))", " ", name)
    return " ".join(re.split(r"[^a-z0-9+*äöüß]+", separated.lower())).strip()


def _contrasts(text: str) -> Iterator[str]:
    """Yield each contrast that one, two or three parts of a text name together; longer names come first."""
    parts = re.split(r"[ +*]+", text)
    position = 0
    while position < len(parts):
        for count in range(min(_MAX_PARTS, len(parts) - position), 0, -1):
            if contrast := _contrast_of_parts(parts[position : position + count]):
                yield contrast
                position += count - 1
                break
        position += 1


def _contrast_of_parts(parts: list[str]) -> str | None:
    if len(parts) == 1:
        word = simplify_name(parts[0])
        return contrast_of_name(word) or contrast_of_name(_AFFIXES.sub("", word))
    # A letter or number alone belongs to something else: `T1 C-spine`, `CT 1`.
    if any(len(part) < 2 for part in parts) or not any(map(contrast_of_name, parts)):
        return None
    return contrast_of_name("".join(parts))
