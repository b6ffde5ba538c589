"""One case of the demo cohort put together, and the whole cohort written."""

from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from tumorseg.console import Progress
from tumorseg.demo.anatomy import Grid, Template, cohort_grid, deformed, load_template
from tumorseg.demo.contrast import acquired
from tumorseg.demo.damage import damaged_bytes, damaged_volume
from tumorseg.demo.layout import DemoCase, planned_cases
from tumorseg.demo.lookalikes import look_alikes
from tumorseg.demo.randomness import Purpose, generator
from tumorseg.demo.tumour import grown_tumour
from tumorseg.files import write_bytes
from tumorseg.labels import from_inside
from tumorseg.nifti import nifti_bytes


def write_cohort(settings: dict[str, Any], root: Path) -> None:
    """Write all files that `layout.planned_cases(settings)` names below `root`. Equal settings give equal bytes."""
    cases = planned_cases(settings)
    spacing = float(settings["spacing_mm"])
    template = load_template(spacing)
    grid = cohort_grid(template, spacing)
    progress = Progress(len(cases), "case", every=0)
    for case in cases:
        volumes = made_case(case, template, grid)
        for role, path in case.files.items():
            volume = damaged_volume(case, role, volumes[role])
            write_bytes(root / path, damaged_bytes(case, role, nifti_bytes(volume, grid.affine)))
        progress.step(f"{case.case}, {_described(case)}")


def made_case(case: DemoCase, template: Template, grid: Grid) -> dict[str, NDArray[Any]]:
    """The sound volumes of a case by role, (X, Y, Z): int16 images and the uint8 mask as BraTS 2023 writes it."""
    anatomy = deformed(template, grid, generator(case.patient_seed, Purpose.DEFORMATION))
    mask = grown_tumour(
        anatomy,
        grid.spacing,
        foci=case.foci,
        enhancing=case.enhancing,
        time_point=case.time_point,
        rng=generator(case.patient_seed, Purpose.TUMOUR),
    )
    images = acquired(
        anatomy,
        mask,
        look_alikes(anatomy, grid.spacing, generator(case.patient_seed, Purpose.LOOKALIKES)),
        grid.spacing,
        contrast=generator(case.seed, Purpose.CONTRAST),
        noise=generator(case.seed, Purpose.NOISE),
    )
    return {**images, "seg": from_inside(mask, "brats2023")}


def _described(case: DemoCase) -> str:
    traits = [f"time point {case.time_point + 1}", "one focus" if case.foci == 1 else f"{case.foci} foci"]
    if not case.enhancing:
        traits.append("no enhancement")
    if case.damage is not None:
        traits.append(f"damaged on purpose ({case.damage})")
    return ", ".join(traits)
