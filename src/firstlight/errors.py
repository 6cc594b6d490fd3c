"""The one exception root: everything firstlight raises on purpose derives from it."""


class FirstlightError(Exception):
    """Something firstlight was asked for cannot be done; the message says what to do instead."""


class OptionError(FirstlightError, ValueError):
    """An argument is not one of the accepted values, or is not used by the chosen scheme."""


def one_of(value: object, choices: object, what: str) -> OptionError:
    """Build the error for a value that is not among ``choices`` (an iterable of names)."""
    names = ", ".join(str(choice) for choice in choices)  # type: ignore[attr-defined]
    return OptionError(f"{what} must be one of {names}; got {value!r}")
