"""Files, volumes and tables on disk. Nothing here knows a case."""
