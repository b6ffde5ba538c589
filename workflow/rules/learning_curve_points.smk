"""The points of the learning curve, their files, and the settings of their trainings."""

from dataclasses import asdict

from tumorseg.learning_curve.plan import curve_points
from tumorseg.plotting.catalogue.dice_by_training_cases import RECORD as CURVE_FIGURE

CURVE_POINTS = curve_points(
    SETTINGS.learning_curve.cases,
    SETTINGS.learning_curve.seeds,
    has_start_model=config["training"]["start_from"] is not None,
)
CURVE_EPOCHS = SETTINGS.learning_curve.epochs or config["training"]["epochs"]


wildcard_constraints:
    start="random|model",
    cases=r"\d+",
    seed=r"\d+",


def curve_files(name, **wildcards):
    """Return a file of each point of the learning curve, with all values of the wildcards in its name."""
    return [
        file for point in CURVE_POINTS for file in expand(f"results/learning_curve/{point.folder}/{name}", **wildcards)
    ]


def curve_recipe(wildcards):
    """Return the settings that the result of a training of the learning curve depends on, as JSON."""
    changes = {"seed": int(wildcards.seed), "epochs_per_checkpoint": CURVE_EPOCHS}
    if wildcards.start == "random":
        changes["start_from"] = None
    return changed_recipe(**changes)
