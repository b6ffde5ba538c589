"""Small races and recipes for the tests."""

from tests.benchmarks.race import cases
from tests.support.builders import write_random_case


def race(tmp_path, **changes):
    paths = [write_random_case(tmp_path / f"{name}.safetensors", seed=seed) for seed, name in enumerate("xyz")]
    return cases.Race(**{"seed": 1, "fold": 0, "training": paths[:2], "test": paths[2:], **changes})


def recipe_file(path, text="normalisation: {spacing_mm: 2}\nprediction: {test_time_mirroring: true}\n"):
    path.write_text(f"{text}training: {{learning_rate: 0.003, input_shape: [64, 64, 64], threads: 8}}\n")
    return path
