"""A process that simulates cases for a training and returns a patch of each.

The training runs this file, see `tumorseg.training.simulation`. It neither imports nor names the module, since the
digest of its code (`tumorseg.codedigest`) follows both: trainings without such cases do not depend on this code.
"""

import os
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Final

from tumorseg.cli.processes import exit_with_parent
from tumorseg.errors import UserError
from tumorseg.synthetic.case import case_name, synthetic_case
from tumorseg.training.patches import cut_patch
from tumorseg.training.simulation_messages import Request, SimulatedPatch, Simulation

_NICENESS: Final = 10
"""The steps of the training come first: on a CPU they use the same cores."""


def main(arguments: Sequence[str]) -> None:
    """Answer requests until the training closes the connection.

    Args:
        arguments: file descriptor of the connection, over which the training first sends a `Simulation`.
    """
    exit_with_parent()
    os.nice(_NICENESS)
    connection = Connection(int(arguments[0]))
    with suppress(EOFError, OSError):  # the training has ended
        simulation: Simulation = connection.recv()
        while True:
            request: Request = connection.recv()
            connection.send(answer(simulation, request))


def answer(simulation: Simulation, request: Request) -> SimulatedPatch | Exception:
    """Return the patch that a training requests, or the error that its simulation has raised."""
    try:
        case = synthetic_case(simulation.normalisation, simulation.task, simulation.seed, request.index)
        image, mask = cut_patch(case, simulation.patches, request.rng)
    except UserError as error:
        return error
    except Exception:  # only the text of a traceback can be sent
        return RuntimeError(f"{case_name(simulation.seed, request.index)}\n{traceback.format_exc()}")
    return SimulatedPatch(case.origin.case, image, mask)


if __name__ == "__main__":
    main(sys.argv[1:])
