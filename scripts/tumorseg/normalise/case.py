"""From the volumes of a case to what the network sees."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorseg.boxes import box_around
from tumorseg.cohort.again import read_again, read_mask_again
from tumorseg.cohort.background import ZERO, Background, backgrounds_of
from tumorseg.cohort.verdict import Verdict
from tumorseg.cohort.volume import Volume
from tumorseg.labels import MODALITIES, Convention, to_inside
from tumorseg.normalise.crop import brain_of, crop
from tumorseg.normalise.intensity import normalise_intensities
from tumorseg.normalise.store import NormalisedCase, Origin


def normalise_images(
    case: str,
    volumes: Mapping[str, Volume],
    *,
    backgrounds: Mapping[str, Background],
    convention: Convention | None,
    settings: Mapping[str, Any],
) -> tuple[NDArray[np.float16], Origin]:
    """The image of a case, (4, x, y, z) in the order of `labels.MODALITIES`, and where it comes from.

    It is turned to `orientation.NETWORK_AXES`, so that every case meets the network the same way round.

    volumes: the four modalities on one grid (X, Y, Z), finite as float32 but for their background. backgrounds: that of
    each modality, see `backgrounds_of`. settings: `margin`, voxels kept around the brain (all that is not background in
    every modality), and `clip_percentiles`, see `normalise_intensities`. The mask has no say in it, so that a case is
    normalised alike with and without one.
    """
    images = {modality: volumes[modality] for modality in MODALITIES}
    grid = images[MODALITIES[0]]
    arrays = {modality: volume.array for modality, volume in images.items()}
    box = box_around(brain_of(arrays, backgrounds), settings["margin"])
    affine = tuple(tuple(row) for row in (grid.affine + 0.0).tolist())  # -0.0 becomes 0.0
    origin = Origin(case, grid.array.shape, affine, box, convention, dict(settings), {}, grid.forms)
    voxels = {modality: crop(array, origin) for modality, array in arrays.items()}
    image = np.empty((len(MODALITIES), *voxels[MODALITIES[0]].shape), np.float16)
    intensities = {}
    for channel, modality in enumerate(MODALITIES):
        _, intensities[modality] = normalise_intensities(
            voxels[modality], settings["clip_percentiles"], backgrounds[modality], out=image[channel]
        )
    other = {modality: found.facts() for modality, found in backgrounds.items() if found != ZERO}
    files = {role: volume.digest for role, volume in volumes.items()}
    return image, replace(origin, intensities=intensities, backgrounds=other, files=files)


def normalise_case(
    case: str,
    volumes: Mapping[str, Volume],
    *,
    backgrounds: Mapping[str, Background],
    convention: Convention | None,
    settings: Mapping[str, Any],
) -> NormalisedCase:
    """A case with its mask (`seg` among the volumes, of sound labels), written in `convention`, on the same grid.

    Tumour voxels beyond the margin around the brain, where no modality shows anything, are not kept.
    """
    image, origin = normalise_images(case, volumes, backgrounds=backgrounds, convention=convention, settings=settings)
    mask = np.rint(crop(volumes["seg"].array, origin)).astype(np.uint8, order="C")  # 0.9999 is label 1
    return NormalisedCase(image, to_inside(mask), origin)


def normalise_verdict(root: Path, verdict: Verdict, settings: Mapping[str, Any]) -> NormalisedCase:
    """Read the files of a usable case again, below `root`, and normalise it.

    Raises UserError where a file is no longer the one that the verdict is about.
    """
    files = verdict.facts["files"]
    volumes = {role: read_again(root, files[role]) for role in MODALITIES}
    volumes["seg"] = read_mask_again(root, verdict.facts)
    return normalise_case(
        verdict.case,
        volumes,
        backgrounds=backgrounds_of(verdict.facts),
        convention=verdict.facts["convention"],
        settings=settings,
    )
