"""Judge registrations: failed, doubtful, or with a part of the brain outside the field of view."""

import math
from typing import Final

from tumorseg.cohort.validation_result import Issue
from tumorseg.errors import Message
from tumorseg.preparation.registration_quality import RegistrationQuality

Judgement = tuple[tuple[Issue, ...], tuple[Issue, ...]]
"""Problems and warnings."""
FAILED_EDGES: Final = 0.2
"""Correlation of edges below which two images do not show the same brain.

Right registrations had .34 to .81: T2 with slices of 5 mm (three cases of BraTS 2021) and FLAIR without 40 % of its
field of view (one), moved by 15 degrees and 15 mm, and three channels of a raw patient with skull. The image of another
patient, registered to the same T1CE as well as it can be, had .04 to .13 (four pairs).
"""
DOUBTFUL_EDGES: Final = 0.28
DOUBTFUL_SHARPNESS: Final = 1.4
"""Sharpness below which images may be misplaced.

The right registrations had 1.7 to 3.8. Moved by 8 degrees and 8 mm, two of them had .97 and 1.12, and by 3 degrees and
3 mm, 1.28 and 1.67. T2 and FLAIR of the raw patient, moved by 5 degrees and 5 mm, had 1.06 and 1.41.
"""
MAX_UNEXPLAINED_MM: Final = 2.0
"""Motion of the brain's border above which the images must be more similar after registration than before.

Images that lie over each other already are a little less similar after registration, which moves them by up to 0.6 mm:
where their voxels coincide, nothing blurs them (12 registrations of five cases of BraTS 2021 with slices of 5 mm).
"""
_HEAD_RADIUS_MM: Final = 80.0
FAILED_BRAIN_OVERLAP: Final = 0.7
FAILED_ATLAS_SHARPNESS: Final = 1.1
"""Dice of the brain with the atlas's, and sharpness, below which a registration to the atlas is wrong.

Right registrations of T1CE and FLAIR had a Dice of .84 to .93 and a sharpness of 1.5 to 2.3: a raw patient and two
cases of BraTS 2021. Two of them, moved by 12 degrees and 12 mm, had .85 to .86 and 1.04 to 1.26; by 25 degrees and
25 mm, .72 to .74 and .90 to 1.0. The upper half of the raw patient's brain was put wrongly, with .66 and .94. The brain
of MNI152 is large, so a small brain has a small Dice.
"""
DOUBTFUL_BRAIN_OVERLAP: Final = 0.8
DOUBTFUL_ATLAS_SHARPNESS: Final = 1.4
"""The raw patient with skull had a Dice of .76."""
MIN_SHOWN: Final = 0.93
"""Fraction of the brain that a whole field of view shows at least. The atlas is larger than most brains: of its brain,
the whole images of BraTS 2021 show .97."""
MAX_OUTSIDE_ATLAS: Final = 0.01


def judge_coregistration(quality: RegistrationQuality, title: str, reference: str, case: str) -> Judgement:
    """Return the problems and warnings of the registration of a channel to the reference channel.

    Args:
        quality: its measurements.
        title: title of the channel.
        reference: title of the reference channel.
        case: name of the case.
    """
    if quality.edges < FAILED_EDGES:
        message: Message = (
            f"{title} and {reference} do not show the same brain (after registration, their edges correlate by "
            f"{quality.edges:.2f}; {DOUBTFUL_EDGES} or more is usual); check that both are of the same patient"
        )
        return (Issue("registration_failed", case, message),), ()
    moved_mm = quality.shift_mm + math.radians(quality.rotation_degrees) * _HEAD_RADIUS_MM
    worse = quality.information < quality.information_before and moved_mm > MAX_UNEXPLAINED_MM
    if quality.edges < DOUBTFUL_EDGES or quality.sharpness < DOUBTFUL_SHARPNESS or worse:
        message = (
            f"{title} may not lie exactly over {reference} (edges {quality.edges:.2f}, sharpness "
            f"{quality.sharpness:.2f}; {DOUBTFUL_EDGES} and {DOUBTFUL_SHARPNESS} or more are usual"
            f"{'; the images were more similar before registration' if worse else ''}); look at both images one over "
            "the other before you use the mask"
        )
        return (), (Issue("registration_doubtful", case, message),)
    return (), ()


def judge_atlas_registration(
    quality: RegistrationQuality, outside_atlas: float, brain_shown: float, reference: str, case: str
) -> Judgement:
    """Return the problems and warnings of the registration of a brain to the atlas.

    Args:
        quality: its measurements.
        outside_atlas: fraction of the brain outside the grid of the atlas.
        brain_shown: fraction of the atlas's brain within the field of view of the reference image.
        reference: title of the reference channel.
        case: name of the case.
    """
    overlap: Message = (
        f"the brain in {reference} does not fit the atlas well (Dice {quality.head_overlap:.2f}, sharpness "
        f"{quality.sharpness:.2f}; {DOUBTFUL_BRAIN_OVERLAP} and {DOUBTFUL_ATLAS_SHARPNESS} or more are usual)"
    )
    if quality.head_overlap < FAILED_BRAIN_OVERLAP or quality.sharpness < FAILED_ATLAS_SHARPNESS:
        advice = "check that the image shows the whole head, and look at the brain mask"
        return (Issue("registration_failed", case, f"{overlap}; {advice}"),), ()
    warnings = []
    if quality.head_overlap < DOUBTFUL_BRAIN_OVERLAP or quality.sharpness < DOUBTFUL_ATLAS_SHARPNESS:
        warnings.append(Issue("registration_doubtful", case, f"{overlap}; look at the brain mask and at the image"))
    if brain_shown < MIN_SHOWN:
        message = f"{reference} shows about {100 * brain_shown:.0f} % of the brain; a tumour outside it is missed"
        warnings.append(Issue("partial_field_of_view", case, message))
    if outside_atlas > MAX_OUTSIDE_ATLAS:
        message = f"{100 * outside_atlas:.0f} % of the brain lie outside the atlas and are not segmented"
        warnings.append(Issue("partial_field_of_view", case, message))
    return (), tuple(warnings)


def judge_coverage(shown: float, title: str, case: str) -> tuple[Issue, ...]:
    """Return the warning that a channel shows only a part of the brain.

    Args:
        shown: fraction of the patient's brain within the field of view of the channel.
        title: title of the channel.
        case: name of the case.
    """
    if shown >= MIN_SHOWN:
        return ()
    message = (
        f"{title} shows {100 * shown:.0f} % of the brain in the other images; elsewhere the network does without it"
    )
    return (Issue("partial_field_of_view", case, message),)
