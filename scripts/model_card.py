"""Write the model card: architecture, training data, scores and limitations of the models of a run."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from tumorseg.cli import console
from tumorseg.io.files import write_text
from tumorseg.reporting.model_card.card import collect_card_content, read_card_inputs, render_model_card
from tumorseg.task import add_task_option


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line of the rule model_card."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifest", type=Path, required=True, help="manifest of the cohort")
    parser.add_argument("--check", type=Path, required=True, help="result of check_cohort")
    parser.add_argument("--splits", type=Path, required=True, help="fold of each case")
    parser.add_argument("--summary", type=Path, required=True, help="summary of the scores")
    parser.add_argument("--selection", type=Path, nargs="+", required=True, help="selection of each fold")
    parser.add_argument("--models", type=Path, nargs="+", required=True, help="model of each fold, in that order")
    parser.add_argument(
        "--configuration", type=json.loads, required=True, help="sections of the configuration, as JSON"
    )
    add_task_option(parser)
    parser.add_argument("--output", type=Path, required=True, help="card to write (Markdown)")
    parser.add_argument("--log", type=Path, help="log file")
    options = parser.parse_args(arguments)
    with console.job("model_card", options.log):
        results = read_card_inputs(
            manifest=options.manifest,
            check=options.check,
            splits=options.splits,
            summary=options.summary,
            selections=options.selection,
            models=options.models,
        )
        content = collect_card_content(results, options.configuration, options.task)
        write_text(options.output, render_model_card(content, options.configuration, options.task))
        console.logger.info("read before you share the models: %s", options.output)


if __name__ == "__main__":
    main()
