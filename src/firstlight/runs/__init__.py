"""Long work that goes on where it stopped: finished parts on disk, and Ctrl-C between steps."""
