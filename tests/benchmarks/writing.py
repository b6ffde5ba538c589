"""Writing compressed volumes with ISA-L's level 1, against gzip -1."""

import gzip
from collections.abc import Iterator
from pathlib import Path

from isal import igzip

from tests.benchmarks.timing import Figure, best_seconds
from tumorseg.cohort.discover import discover


def figures(root: Path) -> Iterator[Figure]:
    """Compression alone, of the real volumes below `root`: of one image of each case, and of each mask."""
    for role, what in (("flair", "images"), ("seg", "masks")):
        volumes = [igzip.decompress((root / case.files[role][0]).read_bytes()) for case in discover(root)]
        best = best_seconds(
            {
                "gzip": lambda volumes=volumes: [gzip.compress(volume, 1) for volume in volumes],
                "isal": lambda volumes=volumes: [igzip.compress(volume, 1) for volume in volumes],
            },
            rounds=3,
        )
        sizes = [sum(len(pack(volume, 1)) for volume in volumes) for pack in (gzip.compress, igzip.compress)]
        yield Figure(f"time of gzip -1 / isal level 1, {what}", best["gzip"] / best["isal"], "", least=6)
        yield Figure(f"size of isal level 1 / gzip -1, {what}", sizes[1] / sizes[0], "", most=1)
