"""Validating a case, against decompression alone and against loading with nibabel."""

from collections.abc import Iterator
from pathlib import Path

import deflate
import nibabel
from isal import igzip

from tests.benchmarks.timing import Figure, best_seconds
from tests.support.case_files import TASK
from tumorseg.cohort.case_validation import validate_case
from tumorseg.cohort.discovery import discover_cases


def figures(root: Path) -> Iterator[Figure]:
    """Yield milliseconds per real case below `root`, and ratios."""
    cases = discover_cases(root, TASK)
    files = [root / path for case in cases for paths in case.files.values() for path in paths]

    def decompress_with_libdeflate():
        for file in files:
            deflate.gzip_decompress(file.read_bytes())

    def decompress_with_isal():
        for file in files:
            igzip.decompress(file.read_bytes())

    def load_with_nibabel():
        for file in files:
            nibabel.load(file).get_fdata()

    def validate():
        for case in cases:
            validate_case(root, case, task=TASK, shape=None, labels="auto")

    best = best_seconds(
        {
            "libdeflate": decompress_with_libdeflate,
            "isal": decompress_with_isal,
            "nibabel": load_with_nibabel,
            "validation": validate,
        }
    )
    milliseconds = {name: seconds / len(cases) * 1000 for name, seconds in best.items()}
    yield Figure("decompress the five files of a case, libdeflate", milliseconds["libdeflate"], "ms")
    yield Figure("decompress the five files of a case, isal", milliseconds["isal"], "ms")
    yield Figure("load the five files of a case, nibabel's get_fdata", milliseconds["nibabel"], "ms")
    yield Figure("validate a case", milliseconds["validation"], "ms")
    fastest = min(milliseconds["libdeflate"], milliseconds["isal"])
    yield Figure("validation / the faster decompression", milliseconds["validation"] / fastest, "", most=1.5)
    yield Figure("nibabel's get_fdata / validation", milliseconds["nibabel"] / milliseconds["validation"], "", least=3)
