"""The parts of a study: its rows, one run, what is kept on disk, and the result."""
