"""Run the command line of the race."""

from tests.benchmarks.race.command_line import main

if __name__ == "__main__":
    main()
