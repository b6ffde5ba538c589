"""Export a trained model to ONNX, for programs without PyTorch and this workflow."""

import argparse
import logging
import warnings
from collections.abc import Sequence
from pathlib import Path

from tumorseg.cli import console
from tumorseg.inference.held_out import read_fold_model
from tumorseg.inference.onnx_export import write_onnx
from tumorseg.task import add_task_option


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line of the rule export_onnx."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="exported model")
    parser.add_argument("--selection", type=Path, required=True, help="selection of the fold, which names this model")
    parser.add_argument("--fold", type=int, required=True, help="fold of the model")
    add_task_option(parser)
    parser.add_argument("--output", type=Path, required=True, help="ONNX file to write")
    parser.add_argument("--log", type=Path, help="log file")
    options = parser.parse_args(arguments)
    # Users cannot act on the exporter's own warnings, such as a missing torchvision or a deprecated name.
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    warnings.simplefilter("ignore", FutureWarning)
    with console.job(f"export_onnx {options.model.stem}", options.log):
        network, card, _ = read_fold_model(options.model, options.selection, options.fold, task=options.task)
        write_onnx(options.output, network, card)
        console.logger.info("%s: %.1f MiB", options.output, options.output.stat().st_size / 2**20)


if __name__ == "__main__":
    main()
