"""Table of all cases: what is usable, and why the rest is not."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from tumorseg import console
from tumorseg.cohort.manifest import manifest, summary, write_manifest
from tumorseg.cohort.verdict import read_verdicts


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of the rule manifest."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--verdicts", type=Path, nargs="+", required=True, help="JSON files of the verdicts of all batches"
    )
    parser.add_argument("--output", type=Path, required=True, help="TSV file of the manifest")
    parser.add_argument("--log", type=Path, help="log file")
    options = parser.parse_args(arguments)
    with console.job("manifest", options.log):
        table = manifest(verdict for path in options.verdicts for verdict in read_verdicts(path))
        write_manifest(options.output, table)
        for line in summary(table, options.output):
            console.logger.info("%s", line)


if __name__ == "__main__":
    main()
