"""The settings that a training depends on, with the digest of the model to start from."""

from tumorseg.io.digests import sha256
from tumorseg.networks.starter import model_path


@cache
def start_model_digest():
    """Return the SHA-256 of the model to start from; None for random weights.

    The file is not an input: Snakemake would compare its date.
    """
    file = config["training"]["start_from"]
    if file is None:
        return None
    # Imported here: they need NumPy and SciPy, which would slow down planning for other targets.
    from tumorseg.networks.model_header import read_header, require_same_network, require_same_normalisation
    from tumorseg.preprocessing.resampling import stored_settings

    try:
        path = model_path(file)
        if path.resolve().parent == Path("results/model").resolve():
            raise UserError(f"{file} is written by this run; copy it elsewhere and use the copy")
        header = read_header(path)
        require_same_network(path, header, config["model"], TASK)
        require_same_normalisation(path, header, stored_settings(config["normalisation"]))
    except UserError as error:
        raise SystemExit(
            f"training.start_from: {error}; or set training.start_from to null, to start from random weights"
        ) from None
    return sha256(path)


def training_settings(*left_out):
    """Return the section `training` without some keys, and with the SHA-256 of the model to start from."""
    settings = {key: value for key, value in config["training"].items() if key not in left_out}
    return {**settings, "start_from": start_model_digest()}


def recipe(wildcards):
    """Return the settings that the result of a training depends on, as JSON."""
    return changed_recipe()


def changed_recipe(**changes):
    """Return the settings that the result of a training depends on, as JSON, with other values of some keys."""
    # Without synthetic patches, the number of synthetic cases changes nothing.
    unused = [] if config["training"]["synthetic_fraction"] else ["synthetic_cases"]
    training = training_settings("epochs", "tensorboard", *unused)
    return json.dumps({"model": config["model"], "training": {**training, **changes}}, sort_keys=True)


def model_card_configuration(wildcards):
    """Return the settings that the model card shows, as JSON."""
    sections = {section: config[section] for section in ("demo", "normalisation", "model", "prediction")}
    return json.dumps({**sections, "training": training_settings("tensorboard")}, sort_keys=True)
