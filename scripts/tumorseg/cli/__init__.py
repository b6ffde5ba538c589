"""What all command lines share: terminal and log, child processes, the start of a run."""
