"""Run the command line of the GPU check."""

from tests.gpu_check.command_line import main

if __name__ == "__main__":
    main()
