"""A normalised case on disk: one safetensors file. Opening it runs no code, and it can be mapped into memory."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save
from xxhash import xxh3_128

from tumorseg.errors import UserError
from tumorseg.io.files import describe_file_kind, describe_locations, is_transient, write_bytes

METADATA_KEY = "tumorseg"  # one key: safetensors writes several in a random order
FORMAT = 4


@dataclass(frozen=True)
class Origin:
    """Where a normalised case comes from, and all that is needed to go back to its grid.

    shape: voxels of the original grid (X, Y, Z). affine: voxel to millimetres, 4x4, of the original grid. crop: start
    and stop of the kept box along each axis. convention: how the case's mask writes labels, None where all conventions
    of the task would write it alike. settings: the normalisation settings. intensities: for each modality the clipping
    bounds, mean and standard deviation applied. forms: both forms of the image's orientation, where `affine` does not
    stand for both; see `cohort.forms.Placement`. backgrounds: what was taken as background of each modality where that
    is not 0, see `Background.facts`. files: for each role the digest of the raw file, see `Volume`.
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

    @property
    def voxel_mm3(self) -> float:
        """The volume of a voxel in mm³."""
        edges = np.array(self.affine)[:3, :3].T
        return round(abs(float(edges[0] @ np.cross(edges[1], edges[2]))), 6)


@dataclass(frozen=True)
class NormalisedCase:
    """A case on its cropped grid, turned to `orientation.NETWORK_AXES`, as the network sees it.

    image: float16 (channels, x, y, z), in the order of the task, background exactly 0. mask: uint8 (x, y, z), labels of
    the task.
    """

    image: NDArray[np.float16]
    mask: NDArray[np.uint8]
    origin: Origin


def write_case(path: Path, case: NormalisedCase) -> None:
    """Write a case with a digest of its voxels and its origin, whole or not at all. Equal cases give equal bytes."""
    tensors: dict[str, NDArray[Any]] = {
        "image": np.ascontiguousarray(case.image),
        "mask": np.ascontiguousarray(case.mask),
    }
    content = asdict(case.origin)
    if not content["backgrounds"]:
        del content["backgrounds"]  # of images prepared as BraTS prepares them, nothing needs to be said
    origin = json.dumps(content, sort_keys=True)
    header = {"format": FORMAT, "digest": _digest(tensors, origin), "origin": origin}
    write_bytes(path, save(tensors, metadata={METADATA_KEY: json.dumps(header, sort_keys=True)}))


def read_case(path: Path) -> NormalisedCase:
    """The case that `write_case` wrote. Raises UserError if the file is damaged or holds another case than it names."""
    with report_corrupted_case(path), safe_open(path, framework="numpy") as file:
        header = read_case_header(path, file)
        tensors = {name: file.get_tensor(name) for name in ("image", "mask")}
        if header["digest"] != _digest(tensors, header["origin"]):
            raise ValueError("its content is not what was written")
        return NormalisedCase(tensors["image"], tensors["mask"], _origin(json.loads(header["origin"])))


def case_digest(path: Path) -> str:
    """The digest that a normalised case carries, read without its voxels.

    Raises UserError as `read_case` does, except that it does not compare the digest with the voxels.
    """
    with report_corrupted_case(path), safe_open(path, framework="numpy") as file:
        return str(read_case_header(path, file)["digest"])


def case_origin(path: Path) -> Origin:
    """Where a normalised case comes from, read without its voxels. Raises UserError as `case_digest` does."""
    with report_corrupted_case(path), safe_open(path, framework="numpy") as file:
        return _origin(json.loads(read_case_header(path, file)["origin"]))


@contextmanager
def report_corrupted_case(path: Path) -> Iterator[None]:
    """A block that reads the normalised case `path`. Raises UserError, with the remedy, where the file is damaged."""
    try:
        if kind := describe_file_kind(path.stat().st_mode):
            raise ValueError(f"it is {kind}")
        yield
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, AttributeError) as error:
        if isinstance(error, OSError) and is_transient(error):
            raise UserError(f"{path}: cannot be read now ({error.strerror}); mend that and run again") from None
        raise UserError(
            f"{path}: this normalised case is damaged ({error}); delete its folder {describe_locations(path.parent)} and run again"
        ) from None


def read_case_header(path: Path, file: Any) -> dict[str, Any]:
    """The header of the normalised case `path`, opened as `file`.

    Raises UserError where the file holds another case than the one that its name asks for.
    """
    header: dict[str, Any] = json.loads(file.metadata()[METADATA_KEY])
    if (case := json.loads(header["origin"])["case"]) != path.stem:
        raise UserError(
            f"{path}: this file holds the case {case} instead of {path.stem}; delete its folder {describe_locations(path.parent)} "
            "and run again"
        )
    return header


def find_case(folders: Iterable[Path], case: str) -> Path:
    """The file of a case among the folders of the batches. Raises UserError where none of them has it."""
    for folder in folders:
        path = folder / f"{case}.safetensors"
        if path.exists():
            return path
    raise UserError(
        f"{case}: no normalised file is there; delete results/normalised and run the workflow again, without --cache "
        "where that only brings the same back"
    )


def _digest(tensors: Mapping[str, NDArray[Any]], origin: str) -> str:
    """XXH3-128 of contiguous tensors (names, types, shapes, values) and of their origin: it tells rot, in no time."""
    digest = xxh3_128(origin.encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(f"\n{name} {tensor.dtype} {tensor.shape}\n".encode())
        digest.update(tensor.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def _origin(content: dict[str, Any]) -> Origin:
    content["shape"] = tuple(content["shape"])
    content["affine"] = tuple(map(tuple, content["affine"]))
    content["crop"] = tuple(map(tuple, content["crop"]))
    return Origin(**content)


def read_planes(path: Path, step: int) -> NDArray[np.float16]:
    """Every `step`-th plane across the first axis of the image, from the middle of what is left over.

    Returns float16 (channels, planes, y, z), one plane at least. Only these planes are read, so that the file's digest
    is not checked. Raises UserError where the file is unreadable or holds another case.
    """
    with report_corrupted_case(path), safe_open(path, framework="numpy") as file:
        read_case_header(path, file)
        image = file.get_slice("image")
        size = image.get_shape()[1]
        planes = [image[:, plane : plane + 1] for plane in range((size - 1) % step // 2, size, step)]
    chosen: NDArray[np.float16] = np.concatenate(planes, axis=1)
    return chosen
