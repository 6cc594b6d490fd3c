"""Where a field is computed."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def device(text: str | None) -> "torch.device":
    """Read the name of a device; None is the first CUDA device, or the CPU where there is none.

    Raises:
        OptionError: there is no such device.

    Example:
        >>> from firstlight.cli.device import device
        >>> device("cpu")
        device(type='cpu')
    """
    import torch

    from firstlight.fields.device import usable_device

    usual = "cuda" if torch.cuda.is_available() else "cpu"
    return usable_device(usual if text is None else text)
