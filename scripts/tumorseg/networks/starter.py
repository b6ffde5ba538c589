"""The starter model, which comes with the workflow: a network that was trained on synthetic cases only.

`starter` in the configuration means this model. Only `model_path` translates the word, in planning and in jobs: a path
would make a moved repository run again. Planning imports this module, so it imports little.
"""

from pathlib import Path
from typing import Final

from tumorseg.errors import Message, UserError
from tumorseg.io.digests import sha256
from tumorseg.io.files import write_text

STARTER: Final = "starter"
"""The starter model in the configuration."""
MODELS_FOLDER: Final = (Path(__file__).parents[1] / "models").resolve()
"""A link to `workflow/models`, so that an installed package contains the models."""
_RESTORE: Final[Message] = "restore the folder with `git checkout workflow/models`, or install the workflow again"


def model_path(name: str) -> Path:
    """Return the file of a model in the configuration.

    Args:
        name: path of a model, or `starter`. A model of that name in the working directory is `./starter`.

    Raises:
        UserError: this copy of the workflow has no starter model, or a damaged one.
    """
    return _starter_file() if name == STARTER else Path(name)


def digest_file(model: Path) -> Path:
    """Return the file beside a starter model that has its SHA-256, in the form of `sha256sum`."""
    return model.with_suffix(".sha256")


def write_digest(model: Path) -> str:
    """Write the SHA-256 of a starter model to the file beside it, and return it."""
    digest = sha256(model)
    write_text(digest_file(model), f"{digest}  {model.name}\n")
    return digest


def _starter_file() -> Path:
    file = MODELS_FOLDER / f"{STARTER}.safetensors"
    if not file.is_file():
        raise UserError(f"{file}: this copy of the workflow has no starter model; {_RESTORE}, or use another model")
    try:
        recorded = digest_file(file).read_text(encoding="utf-8").split()[:1]
    except (OSError, UnicodeDecodeError):
        recorded = []
    if recorded != [sha256(file)]:
        raise UserError(f"{file}: the starter model is damaged (its SHA-256 is not the recorded one); {_RESTORE}")
    return file
