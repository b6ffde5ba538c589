"""The demo cohort: cases made from real anatomy, three of them damaged, in the layout of BraTS 2023."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from tumorseg import console
from tumorseg.demo.cohort import write_cohort


def main(arguments: Sequence[str] | None = None) -> None:
    """Write all files of the cohort below its root."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--settings", type=json.loads, required=True, help="the `demo` section of the configuration, as JSON"
    )
    parser.add_argument("--root", type=Path, required=True, help="folder of the cohort, to be written")
    parser.add_argument("--log", type=Path, help="log file")
    options = parser.parse_args(arguments)
    with console.job("demo_cohort", options.log):
        write_cohort(options.settings, options.root)


if __name__ == "__main__":
    main()
