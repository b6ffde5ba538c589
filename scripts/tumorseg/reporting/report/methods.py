"""Describe a run as the methods section of a paper, from its own settings and results."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tumorseg.formatting import format_count, format_list
from tumorseg.geometry import format_shape, format_spacing
from tumorseg.reporting.report.content import ReportContent
from tumorseg.reporting.report.references import REFERENCES, Reference
from tumorseg.task import Task

_CITATION: Final = re.compile(r" ?\[(\w+)\]")
_NETWORKS: Final = {
    "unet": "3D U-Net [cicek2016]",
    "residual_unet": "3D U-Net [cicek2016] with residual blocks [he2016] in the encoder",
}
_NORMS: Final = {"batch": "batch normalisation [ioffe2015]", "instance": "instance normalisation [ulyanov2016]"}
_DICE_OF: Final = {"labels": "labels", "regions": "regions", "all": "labels and regions"}


@dataclass(frozen=True)
class Methods:
    """A methods section.

    Attributes:
        paragraphs: the text, with the numbers of the references in brackets.
        references: the cited publications, in the order of their numbers.
    """

    paragraphs: tuple[str, ...]
    references: tuple[Reference, ...]

    def bibtex(self) -> str:
        """Return the cited publications as a BibTeX file."""
        return "\n\n".join(reference.bibtex() for reference in self.references) + "\n"


def describe_methods(
    content: ReportContent, configuration: Mapping[str, Any], task: Task, versions: Mapping[str, str]
) -> Methods:
    """Return the methods section of a run.

    It describes what the run did, and nothing else: the data set itself and its references are the author's to add.

    Args:
        content: the content of the report.
        configuration: the configuration with all its sections.
        task: defines the channels, labels and regions.
        versions: version of each package.
    """
    sentences = (
        _data(content, configuration, task),
        _network(configuration, task),
        _training(content, configuration),
        _prediction(configuration["prediction"]),
        _evaluation(content, configuration["evaluation"], versions),
    )
    return _numbered([" ".join(paragraph) for paragraph in sentences])


def describe_training(configuration: Mapping[str, Any]) -> str:
    """Return the network and the length of its training in a sentence."""
    model, training = configuration["model"], configuration["training"]
    network = _CITATION.sub("", _NETWORKS[model["name"]])
    steps = training["steps_per_epoch"]
    each = "" if steps is None else f" of {format_count(steps, 'step')}"
    start = f"from {training['start_from']}" if training["start_from"] else "from random weights"
    return (
        f"{network} with {model['base_channels']} channels at the first level, trained {start} for "
        f"{format_count(training['epochs'], 'epoch')}{each}."
    )


def _numbered(paragraphs: Sequence[str]) -> Methods:
    """Replace the keys of publications in brackets by numbers, in the order in which they occur."""
    keys = list(dict.fromkeys(key for paragraph in paragraphs for key in _CITATION.findall(paragraph)))
    numbered = [_CITATION.sub(lambda found: f" [{keys.index(found[1]) + 1}]", paragraph) for paragraph in paragraphs]
    return Methods(tuple(numbered), tuple(REFERENCES[key] for key in keys))


def _data(content: ReportContent, configuration: Mapping[str, Any], task: Task) -> Iterator[str]:
    cohort, normalisation = configuration["cohort"], configuration["normalisation"]
    excluded = sum("excluded" in case.codes for case in content.dropped)
    by_hand = (
        f"{format_count(excluded, 'case')} {'was' if excluded == 1 else 'were'} excluded by hand. " if excluded else ""
    )
    yield (
        f"{by_hand}Of {format_count(content.found - excluded, 'other case' if excluded else 'case')}, "
        f"{content.usable:,} from {format_count(content.patients, 'patient')} passed an automatic check of every file "
        "and were used. The images were "
        f"{format_list(list(task.channel_titles.values()))}; the reference masks had the labels "
        f"{format_list([label.title for label in task.labels])}."
    )
    if cohort["folds"] > 1:
        yield f"We used {cohort['folds']}-fold cross-validation; all cases of a patient were in the same fold."
    else:
        fold = content.folds[0]
        held_out = f"{format_count(fold.held_out, 'case')} {'was' if fold.held_out == 1 else 'were'} held out"
        yield f"The network was trained on {format_count(fold.trained, 'case')}; {held_out}, of other patients."
    yield from _preparation(configuration)
    low, high = normalisation["clip_percentiles"]
    part = "voxels above the background" if task.whole_head else "brain"
    yield (
        f"Each image was cropped to the {part}, its intensities were clipped to percentiles {low:g} and {high:g} of "
        f"the {part}, and standardised to zero mean and unit variance within the {part}."
    )
    if spacing := normalisation["spacing_mm"]:
        edges = spacing if isinstance(spacing, list | tuple) else [spacing]
        yield f"Images and masks were resampled to voxels of {format_spacing(edges)}."


def _preparation(configuration: Mapping[str, Any]) -> Iterator[str]:
    prepare = configuration["cohort"]["prepare"]
    if prepare == "none":
        return
    which = "Images" if prepare == "full" else "Images that were not prepared yet"
    atlas = "MNI152 atlas [fonov2011]" if configuration["segment"]["atlas"] == "mni152" else "atlas"
    yield (
        f"{which} were registered rigidly to one image of the case with greedy [yushkevich2016], the brain was "
        f"extracted with deepbet [fisch2024] and registered rigidly to the {atlas}, and each image was resampled once "
        "to its grid; the reference masks went along by the share of each label in a voxel, so that scores are "
        "those of resampled references."
    )


def _network(configuration: Mapping[str, Any], task: Task) -> Iterator[str]:
    model, training = configuration["model"], configuration["training"]
    sampling = "strided convolutions" if model["down_sampling"] == "stride" else "max pooling"
    yield (
        f"The network was a {_NETWORKS[model['name']]} with {model['depth']} down-samplings by {sampling}, "
        f"{model['base_channels']} channels at the first level, {_NORMS[model['norm']]}, rectified linear units, and a "
        f"softmax over {task.classes} classes."
    )
    weights = " weighted" if training["cross_entropy_weights"] else ""
    yield (
        f"The loss was the sum of the{weights} cross-entropy and the soft Dice loss [milletari2016] of the "
        f"{_DICE_OF[training['dice_structures']]}"
        + (" that occur in the batch." if training["dice_absent"] == "ignore" else ".")
    )
    if model["deep_supervision"]:
        yield "The coarser levels of the decoder were supervised as well [lee2015]."


def _training(content: ReportContent, configuration: Mapping[str, Any]) -> Iterator[str]:
    training = configuration["training"]
    optimizer = "AdamW [loshchilov2019]" if training["weight_decay"] else "Adam [kingma2015]"
    decay = f", weight decay {training['weight_decay']:g}" if training["weight_decay"] else ""
    each = (
        "one pass over the training cases"
        if training["steps_per_epoch"] is None
        else format_count(training["steps_per_epoch"], "step")
    )
    start = "from a trained model" if training["start_from"] else "from random weights"
    yield (
        f"It was trained {start} with {optimizer}{decay} for {format_count(training['epochs'], 'epoch')} of {each}, "
        f"{training['batch_size']} volume{'' if training['batch_size'] == 1 else 's'} of "
        f"{format_shape(training['input_shape'])} voxels a step, and {_rate(training)}."
    )
    if training["foreground_fraction"]:
        yield f"{100 * training['foreground_fraction']:g} % of the volumes were placed around a tumour voxel."
    if training["augmentation"]:
        yield f"Random augmentation: {format_list(training['augmentation'])}."
    if training["channel_dropout"]:
        yield f"Each image was left out at random with a probability of {training['channel_dropout']:g}."
    if training["synthetic_fraction"]:
        yield (
            f"{100 * training['synthetic_fraction']:g} % of the volumes were from synthetic cases with random "
            "contrasts, as in SynthSeg [billot2023]."
        )
    if training["ema_decay"]:
        yield f"An exponential moving average of the weights (decay {training['ema_decay']:g}) was used."
    execution = format_list(list(dict.fromkeys(fold.fold.execution for fold in content.folds)))
    mixed = " in mixed precision [micikevicius2018]" if re.search(r"fp16|bf16", execution) else ""
    yield f"Trainings ran{mixed} ({execution}), with PyTorch [paszke2019]."
    chosen = {"best": "best (by validation Dice)", "last": "last"}[configuration["checkpoint"]["select"]]
    refused = sum(len(fold.fold.refused) for fold in content.folds)
    yield (
        f"Each checkpoint was read again and verified; the {chosen} valid one was used"
        + (f" ({format_count(refused, 'checkpoint')} refused)." if refused else ".")
    )


def _rate(training: Mapping[str, Any]) -> str:
    rate = f"{training['learning_rate']:g}"
    if training["schedule"] == "constant" and not training["warmup_epochs"]:
        return f"a learning rate of {rate}"
    warmup = f" after a linear warm-up of {training['warmup_epochs']:g} epochs" if training["warmup_epochs"] else ""
    shape = {"constant": "constant", "polynomial": "polynomially decreasing", "cosine": "cosine"}[training["schedule"]]
    return f"a {shape} schedule of the learning rate from {rate}{warmup}"


def _prediction(prediction: Mapping[str, Any]) -> Iterator[str]:
    mirrored = ", averaged over the eight mirror images" if prediction["test_time_mirroring"] else ""
    where = {
        "whole": "the whole image at once",
        "window": f"sliding windows of {format_shape(prediction['window'])} voxels with Gaussian weights [isensee2021]",
        "auto": "the whole image at once if memory allowed, else sliding windows with Gaussian weights [isensee2021]",
    }[prediction["mode"]]
    yield f"Predictions were made on {where}{mirrored}, and only by models that were not trained on the case."
    smallest = {name: size for name, size in prediction["remove_components"].items() if size}
    if smallest:
        sizes = format_list([f"{name} below {size:g} mm³" for name, size in smallest.items()])
        yield f"Connected components of {sizes} were removed."
    if prediction["min_enhancing_mm3"]:
        yield f"Enhancing tumour of less than {prediction['min_enhancing_mm3']:g} mm³ became necrotic core."
    if prediction["fill_holes"]:
        yield "Holes were filled."


def _evaluation(content: ReportContent, evaluation: Mapping[str, Any], versions: Mapping[str, str]) -> Iterator[str]:
    yield (
        f"Masks of {format_count(content.scored, 'held-out case')} were compared with the references by the Dice "
        "coefficient [dice1945], the 95th percentile of the Hausdorff distance, the normalised surface Dice "
        f"[nikolov2021] with a tolerance of {content.surface_tolerance_mm:g} mm, and the lesion-wise scores of BraTS "
        "2023 [moawad2023]."
    )
    if content.challenge_2026:
        yield (
            "The scores of BraTS 2025 and 2026 for lesions, which pair each lesion with at most one predicted "
            "component, were computed as well [kofler2023]."
        )
    if not content.few:
        yield (
            f"Intervals of means are {100 * evaluation['confidence']:g} % bootstrap intervals [efron1993] from "
            f"{evaluation['bootstrap_samples']:,} samples of patients."
        )
    names = [f"{name} {version}" for name, version in versions.items() if name in ("Python", "torch", "numpy")]
    yield f"All stages ran as a Snakemake [molder2021] workflow (tumorseg; {format_list(names)})."
