"""The command ``firstlight``; every subcommand loads what it needs when it is called."""

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line; whatever stops it is one line on stderr and an exit code.

    2: what firstlight or its command line refuses; 130: Ctrl-C.
    """
    try:
        from firstlight.cli.app import run  # inside: Ctrl-C may come this early

        sys.exit(run())
    except KeyboardInterrupt:
        print("firstlight: stopped", file=sys.stderr)
        sys.exit(130)
