"""The device that a fit trains on, tried before anything is computed."""

import torch

from firstlight.errors import OptionError


def usable_device(device: torch.device | str) -> torch.device:
    """The device of that name.

    Raises:
        OptionError: there is none here, or it has no float64, in which errors are added up.

    Example:
        >>> usable_device("cpu")
        device(type='cpu')
    """
    try:
        found = torch.device(device)
        if found.type != "meta":
            torch.ones(1, dtype=torch.float64, device=found)
            return found
        reason = "it holds no numbers"
    except (RuntimeError, AssertionError, TypeError, ValueError, ImportError) as error:
        reason = " ".join(str(error).split())
    raise OptionError(
        f"device must be one that torch can compute on here, such as 'cpu'; got {device!r}: "
        f"{reason[:120]}"
    )
