"""The device and the precision that runs train in, through Accelerate."""

from accelerate import Accelerator
from accelerate.state import AcceleratorState

from firstlight.errors import FirstlightError, OptionError


def accelerator(precision: str) -> Accelerator:
    """Return Accelerate's view of this process: its device and its mixed precision.

    Args:
        precision: "no" (float32), "bf16" or "fp16".

    Raises:
        OptionError: the device cannot train in ``precision``.
        FirstlightError: launched as one of several processes.

    Example:
        >>> from firstlight.comparison.accelerator import accelerator
        >>> accelerator("no").num_processes
        1
    """
    # its state is global and refuses a second precision, even in another comparison
    if AcceleratorState._shared_state and AcceleratorState().mixed_precision != precision:
        AcceleratorState._reset_state()
    try:
        found = Accelerator(mixed_precision=precision)
    except (ValueError, ImportError) as error:
        raise OptionError(
            f"precision {precision!r} does not work on this device: {error}"
        ) from error
    if precision != "no" and not found.native_amp:  # Accelerate would train in float32 instead
        raise OptionError(f"precision {precision!r} does not work on {found.device}")
    if found.num_processes > 1:
        raise FirstlightError(
            f"a comparison runs in one process, this is one of {found.num_processes}: "
            "start it without a launcher"
        )
    return found
