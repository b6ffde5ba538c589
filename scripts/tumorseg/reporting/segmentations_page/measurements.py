"""Which measurements of each preparation step the pages show, and in which words. The records keep all others."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tumorseg.formatting import format_decimal, format_list
from tumorseg.preparation.step_record import StepRecord

Titles = Mapping[str, str]
"""Title of each channel, by name."""
Words = Callable[[Any, Titles], str]
"""Returns a fact in words, without its unit."""


@dataclass(frozen=True)
class Measurement:
    """A fact of a record that pages show.

    Attributes:
        step: name of the rule that writes the record.
        fact: key of the fact.
        title: what it is.
        words: returns the fact in words.
        unit: follows the words, with the space before it.
    """

    step: str
    fact: str
    title: str
    words: Words
    unit: str = ""


def measurements_in_words(record: StepRecord, titles: Titles) -> Iterator[tuple[str, str]]:
    """Yield title and value of each measurement in a record that pages show.

    No value is a path, a description or an identifier, which may name a person.

    Args:
        record: the record of a step.
        titles: title of each channel, by name.
    """
    for shown in MEASUREMENTS:
        if shown.step == record.step and shown.fact in record.facts:
            yield shown.title, f"{shown.words(record.facts[shown.fact], titles)}{shown.unit}"


def _number(decimals: int) -> Words:
    return lambda value, _: format_decimal(value, decimals)


def _percent_of_rest(value: float, _: Titles) -> str:
    return format_decimal(100 * (1 - value), 1)


def _text(value: str, _: Titles) -> str:
    return value


def _title(value: str, titles: Titles) -> str:
    return titles.get(value, value)


def _titles(values: Mapping[str, Any], titles: Titles) -> str:
    return format_list([titles.get(channel, channel) for channel in values])


def _image_count(images: Mapping[str, Any], _: Titles) -> str:
    return str(len(images))


def _image_formats(images: Mapping[str, Any], _: Titles) -> str:
    """Return the formats of the images, each once."""
    return format_list(sorted({{"dicom": "DICOM", "nifti": "NIfTI"}[image["kind"]] for image in images.values()}))


def _voxel_sizes(images: Mapping[str, Any], titles: Titles) -> str:
    """Return the voxel size of each image; images with equal sizes share it."""
    channels: dict[str, list[str]] = {}
    for channel, image in images.items():
        size = " × ".join(format_decimal(edge, 2) for edge in image["spacing_mm"])
        channels.setdefault(size, []).append(titles.get(channel, channel))
    return "; ".join(f"{format_list(found)} {size} mm" for size, found in channels.items())


MEASUREMENTS: Final = (
    Measurement("convert", "channels", "images", _image_count),
    Measurement("convert", "channels", "format", _image_formats),
    Measurement("convert", "channels", "voxels", _voxel_sizes),
    Measurement("coregister", "reference", "reference", _title),
    Measurement("coregister", "rotation_degrees", "turned by", _number(1), "°"),
    Measurement("coregister", "shift_mm", "shifted by", _number(1), " mm"),
    Measurement("coregister", "head_overlap", "overlap of the heads (Dice)", _number(2)),
    Measurement("coregister", "edges", "agreement of the edges (at most 1)", _number(2)),
    Measurement("extract_brain", "method", "method", _text),
    Measurement("extract_brain", "volume_ml", "volume", _number(0), " ml"),
    Measurement("to_atlas", "rotation_degrees", "turned by", _number(1), "°"),
    Measurement("to_atlas", "shift_mm", "shifted by", _number(1), " mm"),
    Measurement("to_atlas", "outside_atlas", "part of the brain inside", _percent_of_rest, " %"),
    Measurement("to_native", "masks", "masks on the grid of", _titles),
    Measurement("to_native", "dicom", "DICOM segmentation on the grid of", _titles),
)
"""The measurements that pages show, in their order."""
