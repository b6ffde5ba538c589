"""Normalised cases on disk: one safetensors file each, which can be memory-mapped and runs no code when opened."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save
from xxhash import xxh3_128

from tumorseg.errors import UserError
from tumorseg.io.files import describe_file_kind, describe_locations, is_transient, write_bytes
from tumorseg.preprocessing.resampling import ResampledGrid

METADATA_KEY = "tumorseg"  # one key: safetensors writes several in a random order
FORMAT = 4


@dataclass(frozen=True)
class Origin:
    """Where a normalised case comes from: all that is needed to return to its original grid.

    Attributes:
        case: name of the case.
        shape: voxels of the original grid (X, Y, Z).
        affine: from voxels to millimetres, 4x4, of the original grid.
        crop: start and stop of the kept box along each axis of the original grid, in voxels.
        convention: how the case's mask writes labels on disk; None if all conventions of the task write it alike.
        settings: the normalisation settings.
        intensities: for each channel that the case has, the clipping bounds, mean and standard deviation applied.
        forms: qform and sform of the image if `affine` does not represent both, see
            `nifti_orientation.HeaderOrientation`.
        backgrounds: for each channel whose background is not 0, its `Background.facts`.
        files: digest of the raw file of each role, see `Volume`.
        resampled: the network's grid; None if it is the cropped grid.
    """

    case: str
    shape: tuple[int, int, int]
    affine: tuple[tuple[float, ...], ...]
    crop: tuple[tuple[int, int], tuple[int, int], tuple[int, int]]
    convention: str | None
    settings: dict[str, Any]
    intensities: dict[str, dict[str, float]]
    forms: dict[str, Any] | None = None
    backgrounds: dict[str, dict[str, Any]] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    resampled: ResampledGrid | None = None

    @property
    def voxel_mm3(self) -> float:
        """The volume of a voxel in mm³."""
        edges = np.array(self.affine)[:3, :3].T
        return round(abs(float(edges[0] @ np.cross(edges[1], edges[2]))), 6)


@dataclass(frozen=True)
class CroppedVolumes:
    """Image and mask of a resampled case on its cropped grid, before resampling.

    Attributes:
        image: z-scores, float16 (channels, x, y, z).
        mask: uint8 (x, y, z), canonical labels of the task.
    """

    image: NDArray[np.float16]
    mask: NDArray[np.uint8]


@dataclass(frozen=True)
class NormalisedCase:
    """A case on the network's grid in `orientation.NETWORK_AXES`, as the network sees it.

    Attributes:
        image: float16 (channels, x, y, z), channels in the order of the task; background is exactly 0.
        mask: uint8 (x, y, z), canonical labels of the task.
        origin: where the case comes from.
        cropped: image and mask before resampling; None if nothing is resampled, or they were not read.
    """

    image: NDArray[np.float16]
    mask: NDArray[np.uint8]
    origin: Origin
    cropped: CroppedVolumes | None = None

    def on_cropped_grid(self) -> "NormalisedCase":
        """Return the case on its cropped grid, the part of its original grid that predictions cover.

        Raises:
            ValueError: the case is resampled, and was read without the volumes before resampling.
        """
        if self.origin.resampled is None:
            return self
        if self.cropped is None:
            raise ValueError(f"{self.origin.case} was read without its volumes on the cropped grid")
        return NormalisedCase(self.cropped.image, self.cropped.mask, replace(self.origin, resampled=None))


def write_case(path: Path, case: NormalisedCase) -> None:
    """Write a case atomically, with a digest of its voxels and origin. Equal cases give equal bytes."""
    tensors: dict[str, NDArray[Any]] = {
        "image": np.ascontiguousarray(case.image),
        "mask": np.ascontiguousarray(case.mask),
    }
    content = asdict(case.origin)
    for unusual in ("backgrounds", "resampled"):  # BraTS images have background 0
        if not content[unusual]:
            del content[unusual]
    origin = json.dumps(content, sort_keys=True)
    header = {"format": FORMAT, "digest": _digest(tensors, origin), "origin": origin}
    if case.cropped:
        cropped: dict[str, NDArray[Any]] = {
            "cropped_image": np.ascontiguousarray(case.cropped.image),
            "cropped_mask": np.ascontiguousarray(case.cropped.mask),
        }
        header["cropped_digest"] = _digest(cropped, origin)
        tensors |= cropped
    write_bytes(path, save(tensors, metadata={METADATA_KEY: json.dumps(header, sort_keys=True)}))


def read_case(path: Path, *, with_cropped: bool = False) -> NormalisedCase:
    """Return a normalised case, after a check of its digest.

    Args:
        path: the file.
        with_cropped: whether to read the volumes before resampling too, if the case is resampled.

    Raises:
        UserError: the file is corrupted or holds another case.
    """
    with report_corrupted_case(path), safe_open(path, framework="numpy") as file:
        header = read_case_header(path, file)
        image, mask = _read_tensors(file, ("image", "mask"), header["digest"], header["origin"])
        case = NormalisedCase(image, mask, _origin(json.loads(header["origin"])))
        if not with_cropped or case.origin.resampled is None:
            return case
        names = ("cropped_image", "cropped_mask")
        return replace(
            case, cropped=CroppedVolumes(*_read_tensors(file, names, header["cropped_digest"], header["origin"]))
        )


def _read_tensors(file: Any, names: Sequence[str], digest: str, origin: str) -> list[NDArray[Any]]:
    tensors = {name: file.get_tensor(name) for name in names}
    if digest != _digest(tensors, origin):
        raise ValueError("its content is not what was written")
    return list(tensors.values())


def case_digest(path: Path) -> str:
    """Return the digest recorded in a normalised case, without reading or checking its voxels.

    Raises:
        UserError: the header is corrupted or names another case.
    """
    with report_corrupted_case(path), safe_open(path, framework="numpy") as file:
        return str(read_case_header(path, file)["digest"])


def case_origin(path: Path) -> Origin:
    """Return the origin of a normalised case, without reading its voxels.

    Raises:
        UserError: the header is corrupted or names another case.
    """
    with report_corrupted_case(path), safe_open(path, framework="numpy") as file:
        return _origin(json.loads(read_case_header(path, file)["origin"]))


@contextmanager
def report_corrupted_case(path: Path) -> Iterator[None]:
    """Convert errors from reading the normalised case `path`.

    Raises:
        UserError: the case is corrupted, or cannot be read now.
    """  # noqa: DOC501
    try:
        if kind := describe_file_kind(path.stat().st_mode):
            raise ValueError(f"it is {kind}")
        yield
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, AttributeError) as error:
        if isinstance(error, OSError) and is_transient(error):
            raise UserError(f"{path}: cannot be read now ({error.strerror}); fix the cause and run again") from None
        raise UserError(
            f"{path}: this normalised case is corrupted ({error}); delete its folder "
            f"{describe_locations(path.parent)} and run again"
        ) from None


def read_case_header(path: Path, file: Any) -> dict[str, Any]:
    """Return the header of the normalised case `path`.

    Args:
        path: the file; its stem is the name of the case.
        file: the same file, opened with `safe_open`.

    Raises:
        UserError: the file holds another case than its name says.
    """
    header: dict[str, Any] = json.loads(file.metadata()[METADATA_KEY])
    if (case := json.loads(header["origin"])["case"]) != path.stem:
        raise UserError(
            f"{path}: this file holds the case {case} instead of {path.stem}; delete its folder "
            f"{describe_locations(path.parent)} and run again"
        )
    return header


def find_case(folders: Sequence[Path], case: str) -> Path:
    """Return the file of a real or synthetic case, searched in the folders of all shards.

    Raises:
        UserError: no folder has the case.
    """
    for folder in folders:
        path = folder / f"{case}.safetensors"
        if path.exists():
            return path
    incomplete = folders[0].parent if folders else "results/normalised"
    raise UserError(
        f"{case}: the normalised file is missing; delete {incomplete} and run the workflow again, without --cache if "
        "the shared cache restores the same folders"
    )


def _digest(tensors: Mapping[str, NDArray[Any]], origin: str) -> str:
    """Return XXH3-128 of contiguous tensors (names, dtypes, shapes, values) and their origin; fast to check."""
    digest = xxh3_128(origin.encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(f"\n{name} {tensor.dtype} {tensor.shape}\n".encode())
        digest.update(tensor.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def _origin(content: dict[str, Any]) -> Origin:
    content["shape"] = tuple(content["shape"])
    content["affine"] = tuple(map(tuple, content["affine"]))
    content["crop"] = tuple(map(tuple, content["crop"]))
    if "resampled" in content:
        content["resampled"] = ResampledGrid.from_json(content["resampled"])
    return Origin(**content)


def read_planes(path: Path, step: int) -> NDArray[np.float16]:
    """Read every `step`-th plane along the first axis of the image, centred along that axis.

    Only these planes are read, so the digest of the file is not checked.

    Args:
        path: a normalised case.
        step: distance between planes, in voxels.

    Returns:
        The planes, float16 (channels, planes, y, z), at least one.

    Raises:
        UserError: the file is unreadable or holds another case.
    """
    with report_corrupted_case(path), safe_open(path, framework="numpy") as file:
        read_case_header(path, file)
        image = file.get_slice("image")
        size = image.get_shape()[1]
        planes = [image[:, plane : plane + 1] for plane in range((size - 1) % step // 2, size, step)]
    chosen: NDArray[np.float16] = np.concatenate(planes, axis=1)
    return chosen
