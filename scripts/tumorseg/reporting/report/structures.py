"""Names of the structures on the page."""

from tumorseg.task import Task


def structure_name(structure: str, task: Task) -> str:
    """Return the name and title of a region or label, such as `WT: whole tumour` or `Label 2: oedema`."""
    name = structure if structure in task.region_labels else structure.capitalize().replace("_", " ")
    return f"{name}: {task.structure_titles[structure]}"


def distinct_structures(task: Task) -> dict[str, str]:
    """Return the name of each structure with voxels of its own: the regions, then the labels that equal no region.

    The name of a region of a single label contains this label: `ET: enhancing tumour (label 4)`.
    """
    regions = {
        region: structure_name(region, task) + (f" (label {labels[0]})" if len(labels) == 1 else "")
        for region, labels in task.region_labels.items()
    }
    labels = {
        structure: structure_name(structure, task)
        for structure in task.label_structures
        if task.structures[structure] not in task.region_labels.values()
    }
    return regions | labels
