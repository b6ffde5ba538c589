"""A cohort with as many cases as BraTS 2023. The cases are tiny, and many have a problem, of every code."""

import zipfile
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
from isal import igzip
from numpy.typing import NDArray

from tests.support.case_files import AFFINE, SHAPE, SUFFIXES, image, mask, nifti_content

CASES = 1253
INVALID_CASES = 264
Files = dict[str, bytes | None]
"""Content by path below the root; None is a broken link."""

SUFFIXES_2021 = {"t1": "t1", "t1ce": "t1ce", "t2": "t2", "flair": "flair", "seg": "seg"}
SHIFTED_AFFINE = AFFINE + np.outer([0, 0, 1, 0], [0, 0, 0, 5])


def compressed_nifti(volume: NDArray, affine=AFFINE) -> bytes:
    """Return the bytes of a compressed NIfTI file."""
    return igzip.compress(nifti_content(volume, affine), 1)


def valid_case(case: str, seed: int) -> Files:
    """Return the files of a valid case with the names of BraTS 2023."""
    return {name(case, role): compressed_nifti(mask() if role == "seg" else image(role, seed)) for role in SUFFIXES}


def name(case: str, role: str, ending: str = ".nii.gz") -> str:
    """Return the path of a file."""
    return f"{case}/{case}-{SUFFIXES[role]}{ending}"


def patched(content: bytes, offset: int, change: bytes) -> bytes:
    """Return a compressed file with other bytes at an offset, and a correct checksum."""
    whole = igzip.decompress(content)
    return igzip.compress(whole[:offset] + change + whole[offset + len(change) :], 1)


def with_voxel(volume: NDArray, value, dtype=None) -> bytes:
    """Return a file in which one voxel, inside head and tumour, has another value."""
    changed = volume.astype(dtype or volume.dtype)
    changed[4, 4, 4] = value
    return compressed_nifti(changed)


Change = Callable[[bytes], bytes]


def replaced(role: str, change: Change) -> Callable[[Files, str], None]:
    """Return a function that changes the content of one file of a case."""

    def change_case(files: Files, case: str) -> None:
        path = name(case, role)
        files[path] = change(files[path])

    return change_case


def without(*roles: str) -> Callable[[Files, str], None]:
    """Return a function that removes files of a case."""

    def change_case(files: Files, case: str) -> None:
        for role in roles:
            del files[name(case, role)]

    return change_case


def _second_file(files: Files, case: str) -> None:
    files[name(case, "t2", ".nii")] = nifti_content(image("t2", seed=10**6))


def _link_to_nowhere(files: Files, case: str) -> None:
    files[name(case, "flair")] = None


def _zip(files: Files, case: str) -> None:
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w") as writer:
        for path, content in files.items():
            writer.writestr(path, content)
    files.clear()
    files[f"{case}.zip"] = archive.getvalue()


def _first_case_again(files: Files, case: str) -> None:
    original = case_name(0)
    files.clear()
    files.update({path.replace(original, case): content for path, content in valid_case(original, 0).items()})


PROBLEM_CASES: tuple[tuple[str, Callable[[Files, str], None]], ...] = (
    ("missing_modality", without("t1")),
    ("missing_modality", without("t1ce")),
    ("missing_modality", without("t2", "flair")),
    ("missing_mask", without("seg")),
    ("empty_file", replaced("t1", lambda _: b"")),
    ("empty_file", replaced("seg", lambda _: igzip.compress(b""))),
    ("truncated", replaced("t1ce", lambda content: content[: len(content) // 2])),
    ("truncated", replaced("seg", lambda content: content[:-1])),
    ("truncated", replaced("t2", lambda content: igzip.compress(igzip.decompress(content)[:-7]))),
    ("truncated", replaced("flair", lambda content: igzip.decompress(content)[:300])),
    ("crc_mismatch", replaced("t1", lambda content: content[:-8] + bytes(4) + content[-4:])),
    ("crc_mismatch", replaced("flair", lambda content: content[:-4] + bytes(4))),
    ("crc_mismatch", replaced("t2", lambda content: content[:500] + bytes(60) + content[560:])),
    ("not_nifti", replaced("t1", lambda _: b"<!DOCTYPE html><title>Sign in</title>" * 20)),
    ("not_nifti", replaced("seg", lambda _: igzip.compress(bytes(3000)))),
    ("not_nifti", replaced("t1ce", lambda content: b"PK\3\4" + content)),
    ("bad_header", replaced("t2", lambda content: patched(content, 40, bytes(2)))),  # no dimension
    ("bad_header", replaced("t1", lambda content: patched(content, 40, b"\7\0" + b"\xff\x7f" * 7))),  # a petabyte
    ("wrong_data_type", replaced("flair", lambda content: patched(content, 70, b"\x80\0"))),  # RGB
    ("bad_header", replaced("t1ce", lambda content: igzip.compress(igzip.decompress(content) + b"\0"))),
    ("wrong_shape", replaced("t1", lambda _: compressed_nifti(np.stack([image("t1")] * 2, axis=3)))),
    ("shape_mismatch", replaced("t2", lambda _: compressed_nifti(image("t2", shape=(11, 11, 12))))),
    ("affine_mismatch", replaced("t1ce", lambda _: compressed_nifti(image("t1ce"), SHIFTED_AFFINE))),
    ("not_finite", replaced("flair", lambda _: with_voxel(image("flair"), np.nan, np.float32))),
    ("not_finite", replaced("seg", lambda _: with_voxel(mask(), np.inf, np.float32))),
    ("constant_image", replaced("t1", lambda _: compressed_nifti(np.zeros(SHAPE, np.int16)))),
    ("duplicate_modality", _second_file),
    ("bad_label", replaced("seg", lambda _: with_voxel(mask(), 5))),
    ("bad_label", replaced("seg", lambda _: with_voxel(mask(), 4))),  # beside 3
    ("bad_label", replaced("seg", lambda _: with_voxel(mask(), 1.5, np.float32))),
    ("mask_mismatch", replaced("seg", lambda _: compressed_nifti(mask(shape=(11, 11, 12))))),
    ("mask_mismatch", replaced("seg", lambda _: compressed_nifti(mask(), SHIFTED_AFFINE))),
    ("mask_mismatch", replaced("seg", lambda _: compressed_nifti(np.zeros(SHAPE, np.uint8)))),
    (
        "mask_mismatch",
        replaced("seg", lambda _: compressed_nifti(np.roll(mask(), 5, axis=(0, 1, 2)) * (image("t1") == 0))),
    ),
    ("duplicate_case", _first_case_again),
    ("unreadable", _link_to_nowhere),
    ("unreadable", _zip),
)
"""Codes of problems, each with a function that gives a valid case this problem."""


def _plain_files(files: Files, case: str) -> None:
    for role in SUFFIXES:
        files[name(case, role, ".nii")] = igzip.decompress(files.pop(name(case, role)))


def _names_of_2021(files: Files, case: str) -> None:
    for role, suffix in SUFFIXES_2021.items():
        files[f"{case}/{case}_{suffix}.nii.gz"] = files.pop(name(case, role))


def _folder_in_place_of_a_file(files: Files, case: str) -> None:
    content = igzip.decompress(files.pop(name(case, "t1ce")))
    files[f"{name(case, 't1ce', '.nii')}/00000057_brain_t1ce.nii"] = content


def _twice_the_same(files: Files, case: str) -> None:
    files[name(case, "t2", ".nii")] = igzip.decompress(files[name(case, "t2")])


def _capital_letters(files: Files, case: str) -> None:
    files[f"{case}/{case}-t2W.nii.gz"] = files.pop(name(case, "t2"))


def _strays(files: Files, case: str) -> None:
    files[f"{case}/._{case}-t1n.nii.gz"] = b"Mac OS X"
    files[f"{case}/.DS_Store"] = files[f"{case}/notes.txt"] = b"stray"


LAYOUTS: tuple[Callable[[Files, str], None], ...] = (
    _plain_files,
    _names_of_2021,
    _folder_in_place_of_a_file,
    _twice_the_same,
    _capital_letters,
    _strays,
    replaced("seg", lambda _: compressed_nifti(mask().astype(np.float32))),
    replaced("t1", lambda content: content + b"trailing"),
)
"""Other layouts of valid cases."""


def case_name(number: int) -> str:
    """Return the name of a case; every eighth case is the second time point of the previous patient."""
    return f"BraTS-GLI-{number - 1:05d}-001" if number % 8 == 7 else f"BraTS-GLI-{number:05d}-000"


def cohort(cases: int = CASES, invalid: int = INVALID_CASES) -> Iterator[tuple[str, str | None, Files]]:
    """Yield each case, the code of its problem or None, and its files. The invalid cases come last."""
    for number in range(cases):
        case = case_name(number)
        files, code = valid_case(case, number), None
        if number >= cases - invalid:
            code, change_case = PROBLEM_CASES[number % len(PROBLEM_CASES)]
            change_case(files, case)
        elif number % 4 == 1:
            LAYOUTS[number // 4 % len(LAYOUTS)](files, case)
        yield case, code, files


def write_cohort(root: Path, cases: int = CASES, invalid: int = INVALID_CASES) -> dict[str, str]:
    """Write the cohort below `root`, and return the code of each invalid case."""
    codes = {}
    for case, code, files in cohort(cases, invalid):
        write_files(root, files)
        if code:
            codes[case] = code
    return codes


def write_files(root: Path, files: Files) -> None:
    """Write the files of a case."""
    for path, content in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            target.symlink_to("nowhere")
        else:
            target.write_bytes(content)
