"""Read and write files, volumes and tables; independent of cases and cohorts."""
