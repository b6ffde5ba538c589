"""The image that lies beside a reference, where the references are a folder of cases: it shows what labels mean."""

from pathlib import Path

from tumorseg.cohort.damage import Damage
from tumorseg.cohort.look import contrast_under, look_at_image, look_at_mask
from tumorseg.cohort.naming import MASK, role_of
from tumorseg.cohort.other_task import CONTRAST, Contrast
from tumorseg.cohort.volume import Volume, read_volume
from tumorseg.task import Task


def contrast_beside(path: Path, mask: Volume, task: Task, labels: str, largest_voxels: int) -> Contrast | None:
    """Return what is kept of the image after contrast medium of a reference, None without one that can be read.

    Args:
        path: of the reference.
        mask: its content.
        task: its file names tell the image; it has no label map.
        labels: as `cohort.labels` says.
        largest_voxels: see `read_volume`.
    """
    own = role_of(path.name, task)
    if own is None or own[1] != MASK or CONTRAST not in task.channel_names or mask.array.ndim != 3:
        return None
    there = [file for file in sorted(path.parent.iterdir()) if role_of(file.name, task) == (own[0], CONTRAST)]
    if not there:
        return None
    try:
        image = read_volume(there[0], largest_voxels)
    except Damage:
        return None
    look = look_at_mask(mask, path.name, task, labels)
    if image.shape != mask.shape:
        return None
    found = look_at_image(image, task.channel_titles[CONTRAST], there[0].name, look)
    return None if found.problems else contrast_under(image, found, look, task)
