"""All that the scores of some folders of masks depend on, in one digest."""

from collections.abc import Mapping
from pathlib import Path

from xxhash import xxh3_128_hexdigest

from tumorseg.cohort.contents import file_digest
from tumorseg.cohort.largest import LARGEST_VOXELS, largest_file
from tumorseg.scoring.match import Matches


def masks_digest(matches: Mapping[str, Matches], references: Path, largest_voxels: int = LARGEST_VOXELS) -> str:
    """XXH3-128 of the names and bytes of all masks that are compared, and of the names of the others.

    references: the folder that the matches were made with. largest_voxels: as `cohort.max_voxels` says. A file that
    cannot be read counts by its name, and one that is too large to be a mask by its name, its size and its time: the
    job tells what is wrong with it. The digest does not depend on where the folders lie, or when the other files were
    written.
    """
    lines, largest = [], largest_file(largest_voxels)
    for name, of_folder in matches.items():
        lines += [name, *of_folder.without_reference]
        for pair in of_folder.pairs:
            lines += [pair.reference, _file_digest(references / pair.reference, largest)]
            if pair.prediction is not None:
                lines += [pair.prediction, _file_digest(of_folder.folder / pair.prediction, largest)]
    return xxh3_128_hexdigest("\n".join(lines).encode())


def _file_digest(path: Path, largest: int) -> str:
    try:
        status = path.stat()
    except OSError:
        return ""
    if status.st_size > largest:
        return f"{status.st_size} bytes of {status.st_mtime_ns}"
    return file_digest(path) or ""
