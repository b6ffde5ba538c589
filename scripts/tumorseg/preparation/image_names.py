"""Read what the names of a patient's NIfTI files, and of their folders, say about each image."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from tumorseg.cohort.file_names import MASK, case_and_role, nifti_stem
from tumorseg.cohort.layouts.listing import is_mask_folder_name
from tumorseg.preparation.sequence_names import T1, NameClues, read_name
from tumorseg.preparation.shared_words import SplitName, split_names
from tumorseg.task import Task


@dataclass(frozen=True)
class ImageNames:
    """What the names of an image say.

    Attributes:
        path: the file, relative to the folder of the patient.
        stem: its name without ending.
        role: channel of the task, or `seg`, by the ending of the name; None without a known ending.
        clues: words of the name, or of a folder, without those that all images of the patient share.
        left: why the image cannot be used; empty if it can.
        is_shared_after: whether words that all images share may mean that it was made after contrast agent.
    """

    path: str
    stem: str
    role: str | None
    clues: NameClues
    left: str
    is_shared_after: bool

    @property
    def is_t1ce(self) -> bool:
        """Whether words say that the image is a T1 after contrast agent."""
        return self.clues.contrast == T1 and bool(self.clues.agent)


def read_image_names(files: Sequence[str], task: Task, case: str) -> list[ImageNames]:
    """Return what the names of all images of a patient say.

    Args:
        files: paths of NIfTI files, relative to the folder of the patient.
        task: its endings of file names are known.
        case: name of the patient.
    """
    paths = [PurePosixPath(file) for file in files]
    stems = split_names([nifti_stem(path.name) or path.name for path in paths], case)
    folders = _split_folders(paths, case)
    return [_read(path, stem, above, task) for path, stem, above in zip(paths, stems, folders, strict=True)]


def _split_folders(paths: Sequence[PurePosixPath], case: str) -> list[list[SplitName]]:
    """Return the folders of each file, the innermost first. Words are shared by all folders of a level."""
    found: list[list[SplitName]] = [[] for _ in paths]
    for level in range(max((len(path.parts) - 1 for path in paths), default=0)):
        inside = [place for place, path in enumerate(paths) if len(path.parts) - 1 > level]
        names = split_names([paths[place].parts[level] for place in inside], case)
        for place, name in zip(inside, names, strict=True):
            found[place].insert(0, name)
    return found


def _read(path: PurePosixPath, stem: SplitName, folders: Sequence[SplitName], task: Task) -> ImageNames:
    in_task = case_and_role(path.name, task)
    role = in_task[1] if in_task else None
    name, clues = stem, read_name(stem.rest)
    left = clues.other or read_name(stem.shared).other
    if stem.is_mask or is_mask_folder_name(path.parent.name) or role == MASK:
        left = "a mask"
    if clues.contrast is None and not left:  # as in `T1_post/image.nii.gz`
        of_folders = [(folder, read_name(folder.rest)) for folder in folders]
        name, clues = next(
            ((folder, found) for folder, found in of_folders if found.contrast or found.other), (stem, clues)
        )
        left = clues.other or read_name(name.shared).other
    is_shared_after = bool(read_name(name.shared).agent)
    return ImageNames(str(path), f"{stem.shared}{stem.rest}", role, clues, left, is_shared_after)
