"""Record what is needed to repeat a run: settings, software, data and machine, as files and as an RO-Crate."""
