"""Decide which models segment new patients, and check them before anything runs."""

import os
from collections.abc import Sequence
from pathlib import Path

from tumorseg.errors import Message, UserError
from tumorseg.networks.model_header import read_header
from tumorseg.networks.starter import STARTER, model_path
from tumorseg.task import Task
from tumorseg.task.compatibility import require_task


def choose_models(
    configured: str | Sequence[str] | None, results: Path, task: Task, *, folds: int, train: Message
) -> tuple[list[str], list[Message]]:
    """Return the models to segment new patients with, and notes for the user.

    Without a choice in the configuration, these are the models in the folder of results. The starter model replaces
    them only where no training has begun: its masks must not be mistaken for those of the user's own model.

    Args:
        configured: `segment.models`.
        results: folder of the results.
        task: task that the models must have.
        folds: number of folds of the configuration.
        train: command that completes a training, for messages.

    Returns:
        The models, as paths or `starter`, and the notes.

    Raises:
        UserError: a model is missing, invalid or of another task; or no model is configured, and a training has begun
            whose model is missing.
    """
    if configured is not None:
        chosen = [configured] if isinstance(configured, str) else list(configured)
        _require_models(chosen, task)
        return chosen, []
    folder = results / "model"
    if own := sorted(str(path) for path in folder.glob("fold-*.safetensors")):
        _require_models(own, task)
        note = (
            f"segment: {folder} has {len(own)} models, but cohort.folds is {folds}; the mean of all models is used: to "
            "choose others, list them in segment.models"
        )
        return own, [note] if len(own) != folds else []
    if begun := [str(path) for path in (results / "training", folder) if path.exists()]:
        raise UserError(
            f"segment: there is no model in {folder}, but a training has begun here ({begun[0]} exists); complete it "
            f"with `{train}`, or name models in segment.models, such as --config segment='{{models: {STARTER}}}' for "
            "the starter model"
        )
    try:
        _require_model(STARTER, task)
    except UserError as error:
        raise UserError(
            f"segment: there is no model in {folder}; train one, for instance with `{train}`, or set segment.models to "
            f"the files of models. The starter model cannot replace it: {error}"
        ) from None
    notice = read_header(model_path(STARTER)).notice
    text: Message = notice.text if notice else ""
    return [STARTER], [f"segment: there is no model in {folder}, so the starter model is used. {text}"]


def _require_models(names: Sequence[str], task: Task) -> None:
    for name in names:
        try:
            _require_model(name, task)
        except UserError as error:
            raise UserError(f"segment.models: {error}") from None


def _require_model(name: str, task: Task) -> None:
    path = model_path(name)
    if not os.path.lexists(path):
        raise UserError(f"there is no file {path}; correct the path")
    require_task(path, read_header(path).task, task)
