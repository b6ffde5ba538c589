"""Figures of outlines: what lies over which image, on which slice, in which line style."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.colors import to_hex

from tests.unit.plotting.test_sheets import COLOURS, case_of, texts_of, titles_of
from tumorseg.plotting.contours import contour_sheet, patient_sheet
from tumorseg.task import load_task

TASK = load_task()


def outlines_of(axes):
    """Return colour, whether dashed, and enclosed area in mm² of each outline; the scale bar has two points only."""
    lines = [line for line in axes.lines if len(line.get_xdata()) > 2]
    return [(to_hex(line.get_color()), line.is_dashed(), enclosed_area(line)) for line in lines]


def enclosed_area(line):
    x, y = line.get_xdata(), line.get_ydata()
    return round(abs(float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]))) / 2)


def test_each_region_has_a_panel_with_both_outlines():
    whole, core, enhancing = contour_sheet([case_of()], COLOURS, TASK, "most tumour").axes
    assert [axes.get_title() for axes in (whole, core, enhancing)] == ["WT on FLAIR", "TC on T1CE", "ET on T1CE"]
    large, tiny, predicted = sorted(outlines_of(whole), key=lambda outline: (outline[1], -outline[2]))
    assert [large, tiny] == [("#56b4e9", False, 400), ("#56b4e9", False, 1)]
    assert predicted == ("#ffffff", True, 400)
    assert outlines_of(core) == [("#d55e00", False, 200)]
    assert outlines_of(enhancing) == [("#f0e442", False, 200)]


def test_a_region_is_drawn_over_an_image_that_the_case_has():
    sheet = contour_sheet([case_of(missing=[0, 1])], COLOURS, TASK, "most tumour")
    assert titles_of(sheet) == ["WT on FLAIR", "TC on T2", "ET on T2"]


def test_a_task_with_one_region_shows_its_three_planes():
    task = replace(TASK, regions=TASK.regions[:1])
    assert titles_of(contour_sheet([case_of()], COLOURS, task, "most tumour")) == [
        "WT on FLAIR, axial",
        "WT on FLAIR, coronal",
        "WT on FLAIR, sagittal",
    ]


def test_five_regions_take_two_rows():
    names = ("WT", "TC", "ET", "A", "B")
    regions = tuple(replace(TASK.regions[min(number, 2)], name=name) for number, name in enumerate(names))
    sheet = contour_sheet([case_of()], COLOURS, replace(TASK, regions=regions), "most tumour")
    assert len({axes.get_position().y0 for axes in sheet.axes}) == 2
    assert sum("most tumour" in text.get_text() for text in sheet.texts) == 1


def test_the_panels_show_the_part_around_both_masks():
    panels = contour_sheet([case_of(spacing=(4.0, 4.0, 4.0))], COLOURS, TASK, "most tumour").axes
    assert {tuple(np.abs(axes.images[0].get_extent())) for axes in panels} == {(82, 82, 82, 82)}


@pytest.mark.parametrize(("missing", "shown"), [((), ["T1CE", "FLAIR"]), ((3,), ["T1CE", "T1"]), ((1, 3), ["T1"])])
def test_the_labels_of_a_patient_lie_over_the_main_images_that_there_are(missing, shown):
    sheet = patient_sheet(case_of(missing=missing), COLOURS, TASK, banner="A BANNER", notes=["A note."])
    texts = [text.get_text() for text in sheet.texts]
    assert [text for text in texts if "outlines" in text] == [
        f"{channel}, with the outlines of the predicted labels" for channel in shown
    ]
    assert (texts.count("A BANNER"), texts.count("A note."), len(sheet.axes)) == (1, 1, 3 * len(shown))


def test_each_large_component_of_a_patient_shows_its_label():
    assert texts_of(patient_sheet(case_of(), COLOURS, TASK).axes[0]) == ["2", "2 cm", "L", "R"]
