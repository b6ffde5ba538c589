import numpy as np
import pytest
from safetensors import safe_open

from tests.support.builders import write_random_case
from tumorseg.errors import UserError
from tumorseg.preprocessing.store import case_digest, case_origin, find_case, read_case, read_planes, write_case
from tumorseg.training.patches import PatchSettings, read_patch


def test_a_case_is_read_as_it_was_written(tmp_path):
    path = write_random_case(tmp_path / "a.safetensors", shape=(5, 6, 7))
    case = read_case(path)
    write_case(tmp_path / "b.safetensors", case)
    assert path.read_bytes() == (tmp_path / "b.safetensors").read_bytes()
    assert (case.image.dtype, case.image.shape) == (np.float16, (4, 5, 6, 7))
    assert case.origin.crop == ((0, 5), (0, 6), (0, 7))


@pytest.mark.parametrize("fraction", [0.2, 0.5, 0.9, 0.999])
def test_one_flipped_bit_is_refused(tmp_path, fraction):
    path = write_random_case(tmp_path / "a.safetensors")
    content = bytearray(path.read_bytes())
    content[int(fraction * len(content))] ^= 1
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"a\.safetensors: this normalised case is corrupted"):
        read_case(path)


@pytest.mark.parametrize(
    ("before", "after"), [(b"brats2023", b"brats2021"), (b"crop", b"corp"), (b"digest", b"gidest")]
)
def test_an_edited_origin_is_refused(tmp_path, before, after):
    path = write_random_case(tmp_path / "a.safetensors")
    content = path.read_bytes()
    assert content.count(before) == 1
    path.write_bytes(content.replace(before, after))
    with pytest.raises(UserError, match="this normalised case is corrupted"):
        read_case(path)


def test_a_truncated_file_is_refused(tmp_path):
    path = write_random_case(tmp_path / "a.safetensors")
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(UserError, match="this normalised case is corrupted"):
        read_case(path)


def test_a_resampled_case_is_read_with_and_without_the_volumes_before_resampling(tmp_path):
    plain = read_case(write_random_case(tmp_path / "plain/a.safetensors", shape=(9, 10, 11)))
    path = write_random_case(tmp_path / "a.safetensors", shape=(9, 10, 11), target_mm=(2, 2, 2))
    case = read_case(path)
    assert case.image.shape[1:] == case.mask.shape == case.origin.resampled.shape == (5, 5, 6)
    with pytest.raises(ValueError, match="a was read without its volumes"):
        case.on_cropped_grid()
    cropped = read_case(path, with_cropped=True).on_cropped_grid()
    np.testing.assert_array_equal(cropped.image, plain.image)
    np.testing.assert_array_equal(cropped.mask, plain.mask)
    assert cropped.origin == plain.origin
    assert case_origin(path) == case.origin


def test_a_case_that_is_not_resampled_is_on_its_cropped_grid(tmp_path):
    path = write_random_case(tmp_path / "a.safetensors", target_mm=(1, 1, 1))
    case = read_case(path, with_cropped=True)
    assert case.on_cropped_grid() is case
    assert path.read_bytes() == write_random_case(tmp_path / "b/a.safetensors").read_bytes()


def test_a_flipped_bit_before_resampling_is_refused_where_these_volumes_are_read(tmp_path):
    path = write_random_case(tmp_path / "a.safetensors", target_mm=(2, 2, 2))
    content = bytearray(path.read_bytes())
    with safe_open(path, framework="numpy") as file:
        voxels = file.get_tensor("cropped_mask").tobytes()
    content[content.index(voxels)] ^= 1
    path.write_bytes(content)
    assert read_case(path).cropped is None
    with pytest.raises(UserError, match=r"a\.safetensors: this normalised case is corrupted"):
        read_case(path, with_cropped=True)


def test_a_case_is_found_among_the_shards(tmp_path):
    (tmp_path / "b").mkdir()
    path = write_random_case(tmp_path / "b/x.safetensors")
    assert find_case([tmp_path / "a", tmp_path / "b"], "x") == path
    with pytest.raises(UserError, match=f"y: the normalised file is missing; delete {tmp_path} and run"):
        find_case([tmp_path / "a", tmp_path / "b"], "y")


def test_a_normalised_case_has_the_permissions_of_a_new_file(tmp_path):
    (tmp_path / "new").touch()
    path = write_random_case(tmp_path / "a.safetensors")
    assert path.stat().st_mode == (tmp_path / "new").stat().st_mode


READERS = {
    "read_case": read_case,
    "read_patch": lambda path: read_patch(path, PatchSettings((8, 8, 8)), np.random.default_rng(0)),
    "read_planes": lambda path: read_planes(path, 4),
    "case_digest": case_digest,
}


@pytest.mark.parametrize("reader", READERS)
def test_a_file_with_another_case_than_its_name_is_refused(tmp_path, reader):
    other = write_random_case(tmp_path / "b.safetensors", seed=1)
    path = other.rename(tmp_path / "a.safetensors")
    with pytest.raises(UserError, match=r"a\.safetensors: this file holds the case b instead of a; delete its folder"):
        READERS[reader](path)


def test_the_digest_of_a_case_depends_on_its_content(tmp_path):
    paths = [tmp_path / str(number) / "a.safetensors" for number in range(3)]
    for path, seed in zip(paths, (1, 1, 2), strict=True):
        path.parent.mkdir()
        write_random_case(path, seed=seed)
    first, same, other = map(case_digest, paths)
    assert first == same != other
