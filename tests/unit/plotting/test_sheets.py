import numpy as np
import pytest

from tumorseg.plotting.case_gallery import gallery_sheet
from tumorseg.plotting.case_view import make_case_view
from tumorseg.plotting.score_table import CONVENTION_NOTE
from tumorseg.plotting.sheets import modality_sheet, overlay_sheet
from tumorseg.preprocessing.store import Origin
from tumorseg.task import load_task

TASK = load_task()

COLOURS = {1: "#d55e00", 2: "#56b4e9", 4: "#f0e442"}
SHAPE = (60, 70, 50)
COLUMNS = {
    "dice": 0.5,
    "lesionwise_dice": 0.5,
    "hd95": 1.0,
    "reference_voxels": 9.0,
    "predicted_voxels": 9.0,
    "reference_mm3": 9.0,
    "predicted_mm3": 9.0,
}


def case_of(*, spacing=(1.0, 1.0, 1.0), scores=True, missing=(), **enhancing):
    """Return a case with a large and a tiny component of oedema, and enhancing tumour absent from the prediction.

    missing: indices of the channels that it lacks.
    """
    affine = np.diag([-spacing[0], -spacing[1], spacing[2], 1.0])
    origin = Origin("a", SHAPE, tuple(map(tuple, affine.tolist())), tuple((0, n) for n in SHAPE), None, {}, {})
    image = np.random.default_rng(0).normal(3, 1, (4, *SHAPE)).astype(np.float16)
    image[list(missing)] = 0
    reference, prediction = np.zeros((2, *SHAPE), np.uint8)
    reference[20:40, 20:40, 20:40] = prediction[20:40, 20:40, 20:40] = 2
    reference[50, 50, 20:40] = 2
    reference[20:40, 30:40, 20:40] = 4
    rows = {structure: {**COLUMNS, **(enhancing if structure == "ET" else {})} for structure in TASK.structures}
    return make_case_view(
        origin, image, task=TASK, title="a", scores=rows if scores else None, reference=reference, prediction=prediction
    )


def texts_of(axes):
    return sorted(text.get_text() for text in axes.texts)


def titles_of(sheet):
    return [axes.get_title() for axes in sheet.axes]


def test_panels_of_a_missing_image_say_so():
    assert titles_of(modality_sheet([case_of(missing=[2])], TASK))[:4] == ["T1", "T1CE", "T2 (missing)", "FLAIR"]


def test_the_gallery_names_a_missing_image_and_the_one_behind_the_masks():
    assert titles_of(gallery_sheet([case_of()], COLOURS, TASK))[1:3] == ["FLAIR", "reference"]
    gallery = gallery_sheet([case_of(missing=[3])], COLOURS, TASK)
    assert titles_of(gallery)[1:] == [
        "FLAIR (missing)",
        "reference over T1",
        "prediction over T1",
        "comparison over T1",
    ]
    assert [len(np.unique(axes.images[0].get_array())) > 2 for axes in gallery.axes] == [True, False, True, True, True]


def test_every_panel_shows_its_orientation_and_scale():
    sheets = [
        modality_sheet([case_of()], TASK),
        overlay_sheet([case_of()], TASK),
        gallery_sheet([case_of()], COLOURS, TASK),
    ]
    for sheet in sheets:
        assert all({("L", "R"), ("A", "P")} & {tuple(texts_of(axes)[-2:])} for axes in sheet.axes)
        assert all(any(text.endswith("cm") for text in texts_of(axes)) for axes in sheet.axes)
    assert [len(sheet.axes) for sheet in sheets] == [12, 3, 5]


def test_panels_show_thick_voxels_in_true_proportion():
    axial, coronal, _ = overlay_sheet([case_of(spacing=(1.0, 1.0, 3.0))], TASK).axes
    left, right, bottom, top = coronal.images[0].get_extent()
    assert (right - left, bottom - top) == (60, 150)
    left, right, bottom, top = axial.images[0].get_extent()
    assert (right - left, bottom - top) == (60, 70)


def test_the_gallery_shows_the_same_comparison_as_the_overlays():
    pictures = [
        sheet.axes[number].patches
        for sheet, number in ((overlay_sheet([case_of()], TASK), 0), (gallery_sheet([case_of()], COLOURS, TASK), 4))
    ]
    styles = [
        [(patch.get_hatch(), patch.get_facecolor(), len(patch.get_path())) for patch in found] for found in pictures
    ]
    assert styles[0] == styles[1]
    assert len(styles[0]) == 3  # agreement, wrong label, missed; none is false


@pytest.mark.parametrize(("absent", "noted"), [({}, False), ({"reference_voxels": 0.0}, True)])
def test_brackets_are_explained_if_there_are_any(absent, noted):
    texts = {text.get_text() for text in gallery_sheet([case_of(**absent)], COLOURS, TASK).texts}
    assert (CONVENTION_NOTE in texts, "(0.500)" in texts) == (noted, noted)


def test_a_gallery_needs_scores():
    with pytest.raises(ValueError, match="without its scores"):
        gallery_sheet([case_of(scores=False)], COLOURS, TASK)
