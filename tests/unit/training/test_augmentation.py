import numpy as np
import pytest
import torch
import yaml

from tests.support.builders import REPOSITORY
from tumorseg.training import augmentation
from tumorseg.training.augmentation import AUGMENTATIONS, augment, drop_channels

KINDS = [*AUGMENTATIONS]
INTENSITIES = [kind for kind in KINDS if kind not in ("flip", "affine")]


@pytest.fixture(autouse=True)
def always_augment(monkeypatch):
    monkeypatch.setattr(augmentation, "_PROBABILITY", 1)


def patches(batch=2, shape=(12, 10, 8)):
    """Noise in a block with background around it; the first channel is the mask itself."""
    rng = np.random.default_rng(0)
    masks = torch.zeros(batch, *shape, dtype=torch.long)
    masks[:, 3:8, 3:6, 3:6] = torch.from_numpy(rng.choice([1, 2, 4], (batch, 5, 3, 3)))
    images = torch.zeros(batch, 4, *shape)
    images[:, :, 2:10, 2:8, 2:7] = torch.from_numpy(rng.normal(size=(batch, 4, 8, 6, 5))).float()
    images[:, 0] = masks
    return images, masks


def changed(*kinds, seed=0, **options):
    images, masks = patches(**options)
    return augment(images, masks, kinds, [np.random.default_rng(seed)] * len(images))


def test_no_augmentation_changes_nothing():
    for before, after in zip(patches(), changed(), strict=True):
        assert torch.equal(before, after)


def test_the_same_seed_gives_the_same_patches_and_another_seed_other_patches():
    first, again, other = (changed(*KINDS, seed=seed)[0] for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_the_order_in_the_configuration_does_not_matter():
    assert torch.equal(changed(*KINDS)[0], changed(*KINDS[::-1])[0])


@pytest.mark.parametrize("seed", range(8))
def test_a_flip_changes_image_and_mask_alike(seed):
    images, masks = changed("flip", seed=seed)
    assert torch.equal(images[:, 0].long(), masks)
    assert torch.equal(images.flatten().sort().values, patches()[0].flatten().sort().values)


def test_flips_occur_along_every_axis():
    before = patches(batch=1)[1][0]
    found = {
        tuple(axis for axis in range(3) if torch.equal(masks[0], before.flip(axis)))
        for masks in (changed("flip", seed=seed, batch=1)[1] for seed in range(60))
    }
    assert {(0,), (1,), (2,)} <= found


@pytest.mark.parametrize("kind", INTENSITIES)
def test_intensity_transforms_change_neither_background_nor_labels(kind):
    images, masks = changed(kind)
    before, labels = patches()
    assert torch.equal(masks, labels)
    assert torch.equal(images[before == 0], before[before == 0])
    assert not torch.equal(images, before)
    assert torch.isfinite(images).all()


def test_a_rotation_changes_image_and_mask_alike_and_keeps_labels():
    shape = (24, 20, 16)
    masks = torch.zeros(1, *shape, dtype=torch.long)
    masks[:, 6:18, 5:12, 4:12] = 2
    images = masks[:, None].float().expand(-1, 4, -1, -1, -1)
    for seed in range(10):
        turned, labels = augment(images, masks, ["affine"], [np.random.default_rng(seed)])
        assert set(labels.unique().tolist()) <= {0, 2}
        assert ((turned[:, 0] > 1) == (labels == 2)).float().mean() > 0.98
        assert not torch.equal(labels, masks)


def test_a_rotation_keeps_voxels_isotropic_for_unequal_sides():
    """A ball stays a ball: rotation and scaling are in voxels, not in fractions of the sides."""
    x, y, z = torch.meshgrid(torch.arange(40), torch.arange(24), torch.arange(32), indexing="ij")
    ball = ((x - 19.5) ** 2 + (y - 11.5) ** 2 + (z - 15.5) ** 2 < 49).long()[None]
    for seed in range(5):
        _, labels = augment(ball[:, None].float(), ball, ["affine"], [np.random.default_rng(seed)])
        sides = [int(np.ptp(where)) + 1 for where in np.nonzero(labels[0].numpy())]
        assert max(sides) - min(sides) <= 2


def test_the_augmentation_of_an_image_does_not_depend_on_its_batch():
    images, masks = patches(batch=2)

    def rngs():
        return [np.random.default_rng(seed) for seed in (1, 2)]

    together, _ = augment(images, masks, KINDS, rngs())
    alone, _ = augment(images[1:], masks[1:], KINDS, rngs()[1:])
    assert torch.equal(together[1:], alone)


def dropped_channels(probability, seeds=range(200)):
    """The channels that each of many patches lost (patches, channels)."""
    images = torch.ones(len(seeds), 4, 2, 2, 2)
    kept = drop_channels(images, probability, [np.random.default_rng(seed) for seed in seeds])
    assert set(kept.unique().tolist()) <= {0, 1}
    return (kept == 0).all(dim=(2, 3, 4)).numpy()


def test_each_channel_is_dropped_with_the_given_probability():
    assert dropped_channels(0.25, seeds=range(2000)).mean(axis=0) == pytest.approx([0.25] * 4, abs=0.03)


def test_at_least_one_channel_stays():
    dropped = dropped_channels(0.9)
    assert dropped.sum(axis=1).max() == 3
    assert dropped.sum(axis=0).min() < len(dropped)


def test_without_channel_dropout_no_random_number_is_drawn():
    images, rng = patches()[0], np.random.default_rng(0)
    assert drop_channels(images, 0, [rng]) is images
    assert rng.random() == np.random.default_rng(0).random()


def test_the_configuration_allows_exactly_the_registered_augmentations():
    schema = yaml.safe_load((REPOSITORY / "workflow/schemas/config.schema.yaml").read_text())
    allowed = schema["properties"]["training"]["properties"]["augmentation"]["items"]["enum"]
    assert sorted(allowed) == sorted(AUGMENTATIONS)


def test_a_new_augmentation_is_one_registered_function(monkeypatch):
    monkeypatch.setattr(augmentation, "AUGMENTATIONS", dict(AUGMENTATIONS))

    @augmentation.register_augmentation("negative")
    def _(image, mask, _rng):
        return -image, mask

    images, masks = patches()
    assert torch.equal(augment(images, masks, ["negative"], [np.random.default_rng(0)] * 2)[0], -images)


def test_channel_dropout_keeps_a_channel_that_the_case_has():
    """A case may lack optional channels, which are 0 everywhere."""
    images = patches(batch=1)[0].repeat(200, 1, 1, 1, 1)
    images[:, [0, 2, 3]] = 0
    dropped = drop_channels(images, 0.9, [np.random.default_rng(seed) for seed in range(200)])
    assert dropped.any(dim=(1, 2, 3, 4)).all()


def test_channel_dropout_leaves_a_patch_of_background_as_it_is():
    assert not drop_channels(torch.zeros(1, 4, 2, 2, 2), 0.9, [np.random.default_rng(0)]).any()
