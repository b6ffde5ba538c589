"""Answers requests like tumorseg.synthetic.simulator, with patches that hold the number of the case."""

import os
import sys
from contextlib import suppress
from multiprocessing.connection import Connection

import numpy as np

from tumorseg.errors import UserError
from tumorseg.training.simulation_messages import Request, SimulatedPatch, Simulation

FAILING, DYING = 1000, 2000
"""Numbers of cases that raise an error, and that end the process."""


def main(descriptor: str) -> None:
    connection = Connection(int(descriptor))
    with suppress(EOFError, OSError):
        simulation: Simulation = connection.recv()
        shape, channels = simulation.patches.shape, len(simulation.task.channels)
        while True:
            request: Request = connection.recv()
            if request.index == DYING:
                os.abort()
            image = np.full((channels, *shape), request.index, np.float16)
            patch = SimulatedPatch(str(request.index), image, np.zeros(shape, np.uint8))
            connection.send(UserError("cannot be simulated") if request.index == FAILING else patch)


if __name__ == "__main__":
    main(sys.argv[1])
