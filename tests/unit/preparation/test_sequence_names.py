"""Sequences by the words of descriptions and file names."""

import pytest

from tumorseg.preparation.sequence_names import is_mask_name, is_processed_name, read_name


@pytest.mark.parametrize(
    ("name", "contrast", "agent"),
    [
        ("T1_post", "t1", True),
        ("T1 MPRAGE +C", "t1", True),
        ("AX T1 C+", "t1", True),
        ("t1c", "t1", True),
        ("T1Post", "t1", True),
        ("0001_t1Gd", "t1", True),
        ("SAG 3D BRAVO +C", "t1", True),
        ("T1 nach KM", "t1", True),
        ("T1 pre-op with Gd", "t1", True),
        ("sT1W_3D_TFE_GD", "t1", True),
        ("SAG T1 PRE", "t1", False),
        ("T1 W/O CONTRAST", "t1", False),
        ("T1 ohne KM", "t1", False),
        ("T1 post op", "t1", None),
        ("t1_mpr_sag_p2_iso", "t1", None),
        ("AX T1 FLAIR", "t1", None),
        ("sub-001_ses-2_T1w", "t1", None),
        ("t2_tse_tra_512", "t2", None),
        ("AxT2FLAIR", "flair", None),
        ("ax_t2_flair", "flair", None),
        ("3D_FLAIR", "flair", None),
        ("t2_spc_da-fl_sag", "flair", None),
        ("eFLAIR_longTR_CLEAR", "flair", None),
        ("T2 FLAIR POST", "flair", True),
        ("fla", "flair", None),
        ("CT 1", None, None),
        ("AX BRAIN", None, None),
    ],
)
def test_contrast_and_agent_of_a_name(name, contrast, agent):
    clues = read_name(name)
    assert (clues.contrast, clues.agent, clues.other) == (contrast, agent, "")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("3-plane loc", "localizer"),
        ("AAHead_Scout", "localizer"),
        ("Übersicht", "localizer"),
        ("relCBV", "perfusion"),
        ("AX DWI b1000", "diffusion"),
        ("ADC", "diffusion"),
        ("SUB T1", "subtraction"),
        ("AX T2*", "T2*"),
        ("t2_fl2d_tra_hemo", "T2*"),
        ("MIP T1 post", "MIP"),
        ("DSC perfusion", "perfusion"),
        ("T1 C-SPINE", "body part"),
        ("PD/T2 dual", "proton"),
        ("AX T1 PRE AND POST", "before and after"),
        ("T1 W/WO CONTRAST", "before and after"),
        ("t1ce_to_flair", "several contrasts"),
        ("t1_t2", "several contrasts"),
    ],
)
def test_other_images_are_named(name, words):
    assert words in read_name(name).other


def test_fat_saturation_is_found():
    assert read_name("Cor T1 FS post").fat_saturated
    assert not read_name("Cor T1 post").fat_saturated


@pytest.mark.parametrize("name", ["brain_mask_of_t1c_by_another_tool", "P1-seg", "tumor_label"])
def test_masks_are_found(name):
    assert is_mask_name(name)


def test_an_image_is_no_mask():
    assert not is_mask_name("t1c")


@pytest.mark.parametrize(("name", "processed"), [("t1_brain", True), ("T1_N4", True), ("t1", False), ("AX_T1", False)])
def test_processed_versions_are_found(name, processed):
    assert is_processed_name(name) is processed
