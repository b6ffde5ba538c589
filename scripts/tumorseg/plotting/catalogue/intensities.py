"""Figure: intensities of all usable cases before and after normalisation, by channel."""

from typing import Final

from tumorseg.cli.console import logger
from tumorseg.formatting import format_count
from tumorseg.plotting.figure_record import FigureRecord, Files, MatplotlibFigure, Settings
from tumorseg.task import Task


def draw(files: Files, task: Task, settings: Settings) -> MatplotlibFigure:
    """Return the intensity plots of the usable cases."""
    from tumorseg.cohort.case_summary import summarise_cases
    from tumorseg.cohort.manifest import read_manifest
    from tumorseg.cohort.validation_result import read_validation_results
    from tumorseg.plotting.intensity_chart import draw_intensity_spans, spans_after, spans_before

    results = [result for path in files["validation_results"] for result in read_validation_results(path)]
    cases = summarise_cases(read_manifest(files["manifest"][0]), results, task)
    usable = [case for case in cases if case.usable]
    before, after = spans_before(usable, task), spans_after(usable, files["normalised"], task)
    logger.info("intensities of %s drawn", format_count(len(usable), "case"))
    return draw_intensity_spans(before, after, task)


RECORD: Final = FigureRecord(
    name="intensities",
    draw=draw,
    needs=("manifest", "validation_results", "normalised"),
    section="cohort",
    title="Intensities before and after normalisation",
    caption="1st to 99th percentile (bar) and median (point) of the non-zero voxels of each case, by modality: top, in "
    "the units of the files; bottom, after normalisation (from every eighth sagittal plane). The cases of each "
    "modality are sorted by their median before normalisation. Intensity scales differ between scanners; "
    "normalisation removes these differences.",
    alt="Two plots for each modality ({channels}), one above the other: the intensity ranges of all cases before and "
    "after normalisation.",
    time_limit_minutes=60,
)
