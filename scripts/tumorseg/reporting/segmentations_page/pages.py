"""Render the page of all new patients, and the page of each of them, as HTML."""

from base64 import b64encode
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from string import ascii_letters, digits
from typing import Any, Final

from tumorseg.formatting import format_decimal
from tumorseg.io.files import write_text
from tumorseg.metrics.conformal import LEVEL
from tumorseg.preparation.patient_records import PatientRecord
from tumorseg.provenance.run_facts import RunFacts
from tumorseg.reporting.segmentations_page.content import PatientSummary, Volume, summarise_patients
from tumorseg.reporting.segmentations_page.steps import STEP_TITLES, worst_by_step
from tumorseg.reporting.shared.html_page import render_page
from tumorseg.reporting.viewer.embed import ViewerCase, link_viewer, niivue_script
from tumorseg.segmentation.result_files import (
    ATLAS_FOLDER,
    NIIVUE_FILE,
    PAGE_FILE,
    atlas_mask_file,
    dicom_file,
    file_address,
    mask_file,
    page_file,
    picture_file,
)
from tumorseg.segmentation.results import TABLE_FILE, PatientResult
from tumorseg.task import Task
from tumorseg.version import __version__

_HERE: Final = Path(__file__).parent
NOTICE: Final = "Research use only, not for clinical decisions"
"""The notice at the bottom of each printed page."""
_MAX_EAGER: Final = 100
"""Up to this many pictures are loaded at once, so that they are printed without scrolling through them before."""


def write_pages(
    folder: Path,
    results: Sequence[PatientResult],
    records: Mapping[str, Sequence[PatientRecord]],
    method: Mapping[str, Any],
    run: RunFacts,
    *,
    task: Task,
    colours: Mapping[int, str],
) -> None:
    """Write the page of all patients, the library of its viewer, and a page for each patient.

    Args:
        folder: folder of the masks, the pictures and the volumes of the viewer.
        results: results of all patients, see `prepared_patients.add_preparation`.
        records: records of the preparation, by case.
        method: models and settings, see `results.write_record`.
        run: time, code and software of the run.
        task: defines the channels, labels and regions.
        colours: colour of each label in the viewer, as `#rrggbb`.
    """
    patients = summarise_patients(results, records, task)
    for patient in patients:
        picture = (folder / picture_file(patient.case)).read_bytes() if patient.segmented else None
        write_text(folder / page_file(patient.case), render_patient(patient, method, run, picture=picture))
    write_text(folder / NIIVUE_FILE, niivue_script())
    optional = {
        file.relative_to(folder).as_posix()
        for pattern in ("*.dcm", f"{ATLAS_FOLDER}/*")
        for file in folder.glob(pattern)
    }
    overview = render_overview(patients, method, run, task=task, colours=colours, files=optional)
    write_text(folder / PAGE_FILE, overview)


def render_overview(
    patients: Sequence[PatientSummary],
    method: Mapping[str, Any],
    run: RunFacts,
    *,
    task: Task,
    colours: Mapping[int, str],
    files: Collection[str] = (),
) -> str:
    """Return the page of all patients, which links to the files in its folder; equal arguments give equal text.

    Args:
        patients: the patients in the order of the table.
        method: models and settings, see `results.write_record`.
        run: time, code and software of the run.
        task: defines the channels, labels and regions.
        colours: colour of each label in the viewer, as `#rrggbb`.
        files: names of the files in the folder that not every patient has.
    """
    segmented = [patient for patient in patients if patient.segmented]
    found_steps = {quality.step for patient in patients for quality in patient.steps}
    viewer = link_viewer(
        [
            ViewerCase(patient.case, _title(patient), _volumes_in_words(patient.volumes), patient.viewer_script)
            for patient in segmented
        ],
        colours,
        task,
        niivue=NIIVUE_FILE,
        fallback="The pictures below show a slice of each plane.",
    )
    return _page(
        "overview.html",
        viewer.style + "@page { size: landscape; }\n",
        "",
        method,
        run,
        subject="new patients",
        sections={"patients": "Patients", "viewer": "Viewer", "pictures": "Pictures", "method": "Method"},
        task=task,
        patients=patients,
        segmented=segmented,
        structures=patients[0].volumes,
        steps={step: title for step, title in STEP_TITLES.items() if step in found_steps},
        quality={patient.case: worst_by_step(patient.steps) for patient in patients},
        downloads={patient.case: _downloads(patient.case, files) for patient in segmented},
        courses=[(name, file_address(name)) for name in method.get("courses", ())],
        viewer=viewer,
        loading="eager" if len(segmented) <= _MAX_EAGER else "lazy",
        table_file=TABLE_FILE,
    )


def render_patient(patient: PatientSummary, method: Mapping[str, Any], run: RunFacts, *, picture: bytes | None) -> str:
    """Return the page of a patient, which needs no other file; equal arguments give equal text.

    Args:
        patient: the patient.
        method: models and settings, see `results.write_record`.
        run: time, code and software of the run.
        picture: the picture of the mask, a PNG file; None if the patient was not segmented.
    """
    sections = {
        "problems": "Why there is no mask" if patient.reasons else "",
        "attention": "Look at this one" if patient.attention else "",
        "warnings": "Warnings" if patient.segmented or patient.warnings else "",
        "volumes": "Volumes" if patient.segmented else "",
        "diameters": "Diameters" if patient.diameters else "",
        "picture": "Picture" if picture else "",
        "preparation": "Preparation" if patient.steps else "",
        "method": "Method" if patient.segmented else "Software and files",
    }
    return _page(
        "patient.html",
        "",
        patient.case,
        method,
        run,
        subject=patient.case,
        sections={name: heading for name, heading in sections.items() if heading},
        patient=patient,
        picture=f"data:image/png;base64,{b64encode(picture).decode()}" if picture else "",
        overview=PAGE_FILE,
    )


def _page(
    template: str, style: str, running_title: str, method: Mapping[str, Any], run: RunFacts, **context: Any
) -> str:
    """Return a page. style: CSS before that of the pages. running_title: text at the bottom of each printed page."""
    foot = f"{running_title}. {NOTICE}" if running_title else NOTICE
    margin = f'@page {{ @bottom-left {{ content: "{_css_text(foot)}"; font: 8pt sans-serif; }} }}\n'
    return render_page(
        _HERE,
        _format_ml,
        style=style + (_HERE / "style.css").read_text(encoding="utf-8") + margin,
        template=template,
        method={**method, "models": [{**model, "name": Path(model["file"]).name} for model in method["models"]]},
        marks=list(dict.fromkeys(model["mark"] for model in method["models"] if model["mark"])),
        run=run,
        version=__version__,
        level=f"{100 * LEVEL:g}",
        **context,
    )


def _css_text(text: str) -> str:
    """Return text for a string of CSS in a style element: all but letters, digits and spaces as escapes."""
    plain = {" ", *ascii_letters, *digits}
    return "".join(letter if letter in plain else f"\\{ord(letter):x} " for letter in text)


def _downloads(case: str, files: Collection[str]) -> list[tuple[str, str]]:
    """Return title and address of each file of a patient. files: names of the files that not every patient has."""
    always = {"picture": picture_file(case), "mask": mask_file(case)}
    optional = {"atlas": atlas_mask_file(case), "DICOM": dicom_file(case)}
    found = always | {title: name for title, name in optional.items() if name in files}
    return [(title, file_address(name)) for title, name in found.items()]


def _title(patient: PatientSummary) -> str:
    """Return the entry of a patient in the list of the viewer."""
    return f"{patient.case} ({patient.status})" if patient.urgency else patient.case


def _volumes_in_words(volumes: Sequence[Volume]) -> str:
    """Return a line such as `whole tumour 34.6 ml, …`, with the regions only."""
    known = ((volume.title, volume.ml) for volume in volumes if not volume.is_label and volume.ml is not None)
    return ", ".join(f"{title} {_format_ml(ml)} ml" for title, ml in known)


def _format_ml(ml: float) -> str:
    """Return a volume with three digits that matter: `0.12`, `3.45`, `34.5`, `345`."""
    return format_decimal(ml, 2 if ml < 10 else 1 if ml < 100 else 0)
