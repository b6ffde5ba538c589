"""Write a model that was trained on synthetic cases only as a starter model: float16, with its scores and SHA-256."""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tumorseg.cli import console
from tumorseg.errors import UserError
from tumorseg.io.digests import sha256
from tumorseg.networks.card_validation import MAX_STARTER_SCORES
from tumorseg.networks.model import read_model, write_model
from tumorseg.networks.starter import write_digest
from tumorseg.networks.subset_scores import read_subset_scores


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line for developers. No rule calls it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--model", type=Path, required=True, help="exported model, such as results/model/fold-0.safetensors"
    )
    parser.add_argument(
        "--scores",
        required=True,
        help="a sentence with the measured scores, which every output of the model shows, such as 'Mean Dice on 35 "
        "real cases: whole tumour 0.84.'",
    )
    parser.add_argument(
        "--subset-scores",
        type=Path,
        help="what this model scores with each subset of its channels, as written beside a model of the workflow or by "
        "`tests.benchmarks.race zero-shot`; without it, outputs say that this is not known",
    )
    parser.add_argument(
        "--output", type=Path, required=True, help="model to write; a file .sha256 beside it gets its SHA-256"
    )
    options = parser.parse_args(arguments)
    with console.job("export_starter", None):
        if not options.scores.strip() or len(options.scores) > MAX_STARTER_SCORES or not options.scores.isprintable():
            raise UserError(
                f"--scores: write one line of 1 to {MAX_STARTER_SCORES} characters, without control characters"
            )
        network, card = read_model(options.model)
        if card.trained_on.demo:
            raise UserError(f"{options.model}: this is a model of the demo; use one trained on synthetic cases")
        subset_scores = None
        if options.subset_scores:
            subset_scores = read_subset_scores(options.subset_scores, sha256(options.model), card.task)
            if subset_scores is None:
                raise UserError(
                    f"{options.subset_scores}: these are not scores of {options.model}, but of another model; measure "
                    "this one"
                )
        card = replace(card, starter_scores=options.scores, subset_scores=subset_scores)
        try:
            write_model(options.output, network, card, half=True)
        except UserError as error:
            raise UserError(f"{options.model}: {error}") from None
        digest = write_digest(options.output)
        console.logger.info("%s: %.1f MB, SHA-256 %s", options.output, options.output.stat().st_size / 1e6, digest)


if __name__ == "__main__":
    main()
