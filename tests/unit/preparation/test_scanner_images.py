"""Images of scanners may be larger than the cases that are trained on."""

import numpy as np
import pytest

from tumorseg.io.nifti import write_nifti
from tumorseg.io.volume_limits import DEFAULT_MAX_VOXELS
from tumorseg.preparation.prepared_files import PatientFiles, channel_path
from tumorseg.preparation.scanner_images import read_scanner_image


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """Return a folder with a T1CE of 512 x 512 x 300 voxels of 0.5 mm."""
    folder = tmp_path_factory.mktemp("images")
    voxels = np.zeros((512, 512, 300), np.uint8)
    assert voxels.size > DEFAULT_MAX_VOXELS
    write_nifti(channel_path(folder, "t1ce"), voxels, np.diag([0.5, 0.5, 0.5, 1.0]))
    return folder


def test_the_conversion_reads_a_large_image(large):
    assert read_scanner_image(channel_path(large, "t1ce")).shape == (512, 512, 300)


def test_every_later_step_reads_an_image_that_the_conversion_accepted(large):
    assert PatientFiles("P1", large, ()).volume("t1ce").shape == (512, 512, 300)
