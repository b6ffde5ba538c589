from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.support.builders import recipe, write_random_case
from tumorseg.preprocessing.store import read_case, write_case
from tumorseg.training.batches import (
    PatchSource,
    case_order,
    chosen_cases,
    iterate_batches,
    local_patches,
    steps_per_epoch,
)
from tumorseg.training.patches import PatchSettings, cut_patch, read_patch

SHAPE = PatchSettings((16, 16, 16))
AT_TUMOUR = PatchSettings((16, 16, 16), foreground_fraction=1)


@pytest.fixture
def cases(tmp_path):
    return [write_random_case(tmp_path / f"case-{number}.safetensors", seed=number) for number in range(3)]


def test_a_smaller_case_is_centred_in_background(tmp_path):
    path = write_random_case(tmp_path / "a.safetensors", shape=(10, 10, 10))
    image, mask = read_patch(path, SHAPE, np.random.default_rng(0))
    assert np.all(image[:, 3:13, 3:13, 3:13] != 0)
    assert np.count_nonzero(image[0]) == 1000
    assert mask.shape == (16, 16, 16)


def test_a_patch_of_a_larger_case_is_cut_from_it_with_its_mask(tmp_path):
    path = write_random_case(tmp_path / "a.safetensors", shape=(20, 22, 24))
    whole = read_case(path)
    image, mask = read_patch(path, SHAPE, np.random.default_rng(0))
    starts = [(x, y, z) for x in range(5) for y in range(7) for z in range(9)]
    found = [
        p for p in starts if np.array_equal(whole.image[:, p[0] : p[0] + 16, p[1] : p[1] + 16, p[2] : p[2] + 16], image)
    ]
    assert len(found) == 1
    x, y, z = found[0]
    assert np.array_equal(whole.mask[x : x + 16, y : y + 16, z : z + 16], mask)


def test_an_epoch_sees_each_case_once(cases):
    seen = [case for batch in iterate_batches(cases, recipe().training, fold=0, epoch=1) for case in batch.cases]
    assert sorted(seen) == ["case-0", "case-1", "case-2"]


def test_an_epoch_has_the_configured_number_of_steps(cases):
    settings = recipe(steps_per_epoch=5, batch_size=2).training
    assert [len(batch.cases) for batch in iterate_batches(cases, settings, fold=0, epoch=1)] == [2] * 5


def test_steps_round_up_so_that_no_case_is_left_out():
    assert steps_per_epoch(5, recipe(batch_size=2).training) == 3


def test_the_same_epoch_draws_the_same_batches(cases):
    settings = recipe(steps_per_epoch=4).training
    first, second = (list(iterate_batches(cases, settings, fold=0, epoch=2)) for _ in range(2))
    assert [batch.cases for batch in first] == [batch.cases for batch in second]
    assert all(torch.equal(a.images, b.images) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("other", [{"seed": 8}, {"fold": 1}, {"epoch": 2}])
def test_order_depends_on_seed_fold_and_epoch(other):
    start = {"seed": 7, "fold": 0, "epoch": 1}
    orders = [list(islice(case_order(50, **each), 50)) for each in (start, start | other)]
    assert orders[0] != orders[1]
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(50))


def case_with_tumour(path, *voxels):
    """Write a case of 40x40x40 voxels that has a label at each of some (label, voxel)."""
    case = read_case(write_random_case(path, shape=(40, 40, 40)))
    case.mask[:] = 0
    for label, voxel in voxels:
        case.mask[voxel] = label
    write_case(path, case)
    return path


def test_patches_contain_tumour_as_often_as_configured(tmp_path):
    path = case_with_tumour(tmp_path / "a.safetensors", (4, (39, 0, 20)))
    for fraction, least, most in ((1, 1, 1), (0.5, 0.4, 0.7), (0, 0, 0.2)):
        masks = [
            read_patch(path, PatchSettings((16, 16, 16), fraction), np.random.default_rng(seed))[1]
            for seed in range(60)
        ]
        assert least <= np.mean([mask.any() for mask in masks]) <= most


def test_every_label_is_equally_likely(tmp_path):
    many = [(2, (x, y, 2)) for x in range(3) for y in range(3)]
    path = case_with_tumour(tmp_path / "a.safetensors", (1, (38, 38, 38)), *many)
    masks = [read_patch(path, AT_TUMOUR, np.random.default_rng(seed))[1] for seed in range(60)]
    assert 0.3 < np.mean([1 in mask for mask in masks]) < 0.7


def test_every_tumour_voxel_is_equally_likely_if_so_configured(tmp_path):
    many = [(2, (x, y, 2)) for x in range(3) for y in range(3)]
    path = case_with_tumour(tmp_path / "a.safetensors", (1, (38, 38, 38)), *many)
    rngs = (np.random.default_rng(seed) for seed in range(100))
    masks = [read_patch(path, PatchSettings((16, 16, 16), 1, "voxel"), rng)[1] for rng in rngs]
    assert 0.02 < np.mean([1 in mask for mask in masks]) < 0.25


def test_a_case_without_tumour_gives_patches(tmp_path):
    path = case_with_tumour(tmp_path / "a.safetensors")
    assert read_patch(path, AT_TUMOUR, np.random.default_rng(0))[1].sum() == 0


@pytest.mark.parametrize("sampling", ["label", "voxel"])
def test_a_patch_of_a_case_in_memory_is_the_one_of_its_file(tmp_path, sampling):
    path = write_random_case(tmp_path / "a.safetensors", shape=(20, 22, 12))
    settings = PatchSettings((16, 16, 16), 0.5, sampling)
    for seed in range(6):
        read = read_patch(path, settings, np.random.default_rng(seed))
        cut = cut_patch(read_case(path), settings, np.random.default_rng(seed))
        assert all(np.array_equal(*pair) for pair in zip(read, cut, strict=True))


@pytest.mark.parametrize(("fraction", "expected"), [(0, 0), (0.25, 3), (0.5, 6), (0.9, 10), (1, 12)])
def test_synthetic_cases_have_an_exact_share_of_the_patches(cases, fraction, expected):
    *real, synthetic = cases
    settings = recipe(steps_per_epoch=6, batch_size=2, synthetic_fraction=fraction).training
    batches = list(iterate_batches(real, settings, 0, 1, synthetic_cases=[synthetic]))
    names = [case for batch in batches for case in batch.cases]
    assert names.count(synthetic.stem) == expected
    if fraction == 0.5:
        assert all(synthetic.stem in batch.cases for batch in batches)


def test_a_share_of_less_than_a_patch_an_epoch_is_reached_over_several_epochs(cases):
    *real, synthetic = cases
    settings = recipe(steps_per_epoch=2, batch_size=1, synthetic_fraction=0.25).training
    chosen = [list(islice(chosen_cases(real, [synthetic], settings, 0, epoch), 2)) for epoch in range(1, 9)]
    assert [sum(is_synthetic for _, is_synthetic in epoch) for epoch in chosen] == [0, 1] * 4


def test_synthetic_cases_change_neither_the_order_of_real_ones_nor_the_patches_without_them(cases):
    def real_cases(synthetic=(), **settings):
        batches = iterate_batches(cases[:2], recipe(**settings).training, 0, 1, synthetic_cases=synthetic)
        return [case for batch in batches for case in batch.cases if case != "case-2"]

    without = real_cases(steps_per_epoch=6)
    assert real_cases([cases[2]], steps_per_epoch=12, synthetic_fraction=0.5) == without
    assert real_cases([cases[2]], steps_per_epoch=6) == without


@pytest.mark.parametrize(("number", "missing"), [(3, "no synthetic cases"), (None, "no simulators")])
def test_a_share_of_synthetic_patches_needs_synthetic_cases(cases, number, missing):
    with pytest.raises(ValueError, match=missing):
        next(iterate_batches(cases, recipe(synthetic_fraction=0.5, synthetic_cases=number).training, 0, 1))


def test_no_simulated_case_repeats(cases):
    settings = recipe(steps_per_epoch=5, batch_size=3, synthetic_fraction=0.6, synthetic_cases=None).training
    numbers = [
        case
        for fold in range(3)
        for epoch in (1, 2, 3)
        for case, is_synthetic in islice(chosen_cases(cases, [], settings, fold, epoch), 15)
        if is_synthetic
    ]
    assert len(set(numbers)) == len(numbers) == 3 * 3 * 9


@pytest.mark.parametrize("workers", [2, 5])
def test_the_number_of_workers_does_not_change_batches(cases, workers):
    settings = recipe(steps_per_epoch=4, batch_size=2, foreground_fraction=0.5).training
    expected, found = (list(iterate_batches(cases, settings, 0, 1, workers=number)) for number in (1, workers))
    assert [batch.cases for batch in expected] == [batch.cases for batch in found]
    assert all(torch.equal(a.images, b.images) for a, b in zip(expected, found, strict=True))


def test_batches_are_in_pinned_memory_only_if_asked_for(cases, monkeypatch):
    pinned = []
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda tensor: pinned.append(tensor.shape) or tensor)
    settings = recipe(steps_per_epoch=2).training
    list(iterate_batches(cases, settings, 0, 1))
    assert pinned == []
    list(iterate_batches(cases, settings, 0, 1, pin_memory=True))
    assert sorted(pinned) == sorted(2 * [(1, 4, 16, 16, 16), (1, 16, 16, 16)])


def test_processes_share_the_batches_of_one_process(cases, monkeypatch):
    settings = recipe(steps_per_epoch=3, batch_size=2).training
    whole = list(iterate_batches(cases, settings, 0, 1))
    monkeypatch.setenv("WORLD_SIZE", "2")
    for rank in range(2):
        monkeypatch.setenv("RANK", str(rank))
        for share, batch in zip(iterate_batches(cases, settings, 0, 1), whole, strict=True):
            assert torch.equal(share.images, batch.images[rank : rank + 1])
            assert share.augmentation_rngs[0].random() == batch.augmentation_rngs[rank].random()


@pytest.mark.parametrize("processes", [1, 2, 3, 4])
@pytest.mark.parametrize("fraction", [0.25, 0.5, 0.75])
@pytest.mark.parametrize("patches_each", [1, 2])
def test_synthetic_patches_are_dealt_evenly_to_processes(monkeypatch, processes, fraction, patches_each):
    batch_size = processes * patches_each
    synthetic = [int((number + 1) * fraction) > int(number * fraction) for number in range(30 * batch_size)]
    batches = [
        [PatchSource(place, Path("case"), synthetic[step * batch_size + place]) for place in range(batch_size)]
        for step in range(30)
    ]
    monkeypatch.setenv("WORLD_SIZE", str(processes))
    shares = []
    for rank in range(processes):
        monkeypatch.setenv("RANK", str(rank))
        shares.append(list(local_patches(batches)))
    assert {len(share) for local in shares for share in local} == {patches_each}
    for step, batch in enumerate(batches):
        assert sorted(patch.place for local in shares for patch in local[step]) == list(range(batch_size))
        counts = [sum(patch.is_synthetic for share in local[: step + 1] for patch in share) for local in shares]
        assert max(counts) - min(counts) <= 1
        if processes == 1:
            assert shares[0][step] == batch


@pytest.mark.parametrize("fraction", [0, 0.5])
def test_processes_train_on_the_patches_of_one_process(cases, monkeypatch, fraction):
    settings = recipe(steps_per_epoch=4, batch_size=2, synthetic_fraction=fraction).training
    options = {"synthetic_cases": [cases[2]]}
    whole = list(iterate_batches(cases[:2], settings, 0, 1, **options))
    monkeypatch.setenv("WORLD_SIZE", "2")
    shares = []
    for rank in range(2):
        monkeypatch.setenv("RANK", str(rank))
        shares.append(list(iterate_batches(cases[:2], settings, 0, 1, **options)))
    for step, batch in enumerate(whole):
        found = [share[step].images[0] for share in shares]
        swapped = not torch.equal(found[0], batch.images[0])
        assert all(torch.equal(*pair) for pair in zip(found[::-1] if swapped else found, batch.images, strict=True))
        assert not (swapped and fraction == 0)
