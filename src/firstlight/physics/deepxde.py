"""The one door to DeepXDE: with its PyTorch backend, quiet, and with torch's state as it was."""

import contextlib
import io
import os
import sys
import warnings
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

import torch

from firstlight.errors import FirstlightError, check_choice
from firstlight.physics.packages import needed_for

#: What arithmetic a network can be trained in.
PRECISIONS = ("float32", "float64")
_BACKEND = "pytorch"
_VARIABLES = ("DDE_BACKEND", "DDEBACKEND")


def deepxde() -> ModuleType:
    """Return DeepXDE, imported with its PyTorch backend.

    The import prints nothing, writes no ``~/.deepxde/config.json``, and leaves torch's default
    device and dtype alone (DeepXDE itself makes a GPU the default device).

    Raises:
        FirstlightError: it is not installed, or this process uses another backend.

    Example:
        >>> from firstlight.physics.deepxde import deepxde
        >>> deepxde().backend.backend_name
        'pytorch'
    """
    found = sys.modules.get("deepxde")
    backend = getattr(getattr(found, "backend", None), "backend_name", None)
    if found is None or backend is None:
        return _imported()
    if backend != _BACKEND:
        raise FirstlightError(
            f"firstlight.physics needs DeepXDE's backend {_BACKEND}, this process has imported it "
            f"with {backend}: set DDE_BACKEND={_BACKEND} before deepxde is imported"
        )
    return found


def preload() -> None:
    """Import DeepXDE now, so that a program's own ``import deepxde`` after it is as quiet.

    Where it cannot be, nothing is said: whoever asks for it later is told why.
    """
    with contextlib.suppress(Exception, SystemExit):
        deepxde()


def _imported() -> ModuleType:
    _check_wish()
    dtype, device = torch.get_default_dtype(), torch.get_default_device()
    try:
        with needed_for("firstlight.physics"), _environment(), quiet(), _no_warnings():
            return import_module("deepxde")
    finally:
        torch.set_default_dtype(dtype)
        if torch.get_default_device() != device:
            # None, not "cpu": a device that is set slows every call down
            torch.set_default_device(None if device.type == "cpu" else device)


@contextlib.contextmanager
def _no_warnings() -> Iterator[None]:
    """Deprecations among its dependencies are not the user's."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _check_wish() -> None:
    """Refuse to take another backend than the user's environment asks for."""
    for name in _VARIABLES:
        wanted = os.environ.get(name)
        if wanted is not None:
            if wanted.lower() != _BACKEND:
                raise FirstlightError(
                    f"firstlight.physics needs DeepXDE's backend {_BACKEND}, {name} is {wanted}: "
                    f"set {name}={_BACKEND} or unset it"
                )
            return


@contextlib.contextmanager
def _environment() -> Iterator[None]:
    """Name the backend, for where none is named DeepXDE writes a file."""
    before = os.environ.get(_VARIABLES[0])
    os.environ[_VARIABLES[0]] = _BACKEND
    try:
        yield
    finally:
        if before is None:
            del os.environ[_VARIABLES[0]]
        else:
            os.environ[_VARIABLES[0]] = before


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Swallow what DeepXDE prints, which it does whatever ``verbose`` says."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield


@contextlib.contextmanager
def arithmetic(precision: str = "float32", device: torch.device | str = "cpu") -> Iterator[Any]:
    """Let DeepXDE compute in ``precision`` on ``device``; afterwards all is as it was.

    Args:
        precision: float32 or float64.
        device: where tensors are made.

    Raises:
        OptionError: another precision.
        FirstlightError: DeepXDE cannot be used.

    Example:
        >>> from firstlight.physics.deepxde import arithmetic
        >>> with arithmetic("float64") as dde:
        ...     dde.config.default_float()
        'float64'
    """
    check_choice(precision, PRECISIONS, "precision")
    dde = deepxde()
    real, dtype = dde.config.real, torch.get_default_dtype()
    digits = real.precision
    where = torch.device(device)
    here = torch.get_default_device().type == where.type == "cpu"
    try:
        getattr(real, f"set_{precision}")()
        torch.set_default_dtype(getattr(torch, precision))
        with contextlib.nullcontext() if here else where:
            yield dde
    finally:
        getattr(real, f"set_float{digits}")()
        torch.set_default_dtype(dtype)
        dde.grad.clear()
