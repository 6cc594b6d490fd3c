"""The command ``firstlight plan``: what every tensor of a model would get, and why."""

import contextlib
import shutil
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from firstlight.cli.arguments import find_own_code, several, shape, whole
from firstlight.cli.output import put
from firstlight.errors import OptionError

if TYPE_CHECKING:
    from firstlight.model import Plan, Prediction


def plan(
    model: Annotated[
        str,
        typer.Argument(
            help="torchvision:NAME, timm:NAME, hf:NAME, mlp, small_resnet, small_vit, or "
            "module:factory, which runs your own code as factory(). hf takes a model type (bert), "
            "an architecture class (GPT2LMHeadModel), or the path of a config.json. Arguments may "
            "follow, as in timm:vit_small_patch16_224:depth=2.",
            show_default=False,
        ),
    ],
    scheme: Annotated[
        str, typer.Option(help="auto, or a scheme; options as in harmonic:gain=relu.")
    ] = "auto",
    overrides: Annotated[
        Path | None,
        typer.Option(help="YAML file of schemes by name, pattern or type, as --yaml prints it."),
    ] = None,
    include: Annotated[
        str | None, typer.Option(help="Patterns such as 'blocks.*'; only those get a new start.")
    ] = None,
    exclude: Annotated[
        str | None, typer.Option(help="Patterns such as 'head.*,*.bias' that are left alone.")
    ] = None,
    seed: Annotated[
        int, typer.Option(help="Of random schemes.", parser=whole, metavar="<int>")
    ] = 0,
    input_: Annotated[
        str | None,
        typer.Option(
            "--input",
            help="Shape of one sample as in 3x224x224 (for texts, their length), to trace the "
            "model with.",
            metavar="<shape>",
        ),
    ] = None,
    meta: Annotated[
        bool, typer.Option("--meta", help="Build without memory: as large a model as you like.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
    as_yaml: Annotated[
        bool, typer.Option("--yaml", help="Print overrides to be edited, for --overrides.")
    ] = False,
) -> None:
    """Show what every tensor of a model would get, and why; nothing is changed or downloaded.

    The model is built untrained. Lists are separated by commas.
    """
    if as_json and as_yaml:
        raise OptionError("expected one of --json and --yaml, got both; leave one out")
    from firstlight.model.libraries import quiet  # here: it loads torch

    find_own_code()
    with contextlib.redirect_stdout(sys.stderr), quiet():  # others' code runs, and may talk
        made = _planned(
            model,
            scheme,
            input_,
            meta,
            overrides=overrides,
            include=several(include) if include else (),
            exclude=several(exclude) if exclude else (),
            seed=seed,
        )
        table, moments = str(made), predicted(made.predictions)
        if made.trace.graph is None:
            moments = ["to trace the model, give the shape of a sample, as in --input 3x224x224"]
        other = made.to_json() if as_json else made.to_yaml() if as_yaml else ""
    put(other or "\n".join([*_fitting(table.splitlines()), *moments]), "plan")


def _planned(name: str, scheme: str, given: str | None, meta: bool, **settings: Any) -> "Plan":
    import torch

    from firstlight.init import SCHEMES, parse_scheme
    from firstlight.model.named import build
    from firstlight.model.planning import AUTO
    from firstlight.model.planning import plan as make
    from firstlight.model.sample import sample

    kind, options = parse_scheme(scheme, AUTO)
    if kind != AUTO and SCHEMES[kind].data_driven and given is None:
        raise OptionError(f"scheme {kind} looks at data: give its shape, as in --input 3x224x224")
    size = shape(given) if given is not None else None
    torch.manual_seed(0)  # the framework's own start, the same every time
    model = build(name, meta=meta)
    example = sample(model, size) if size else None
    made = make(model, kind, example=example, **settings, **options)
    if size and made.trace.failed:
        raise OptionError(f"{name} cannot be run with --input {given}: {made.trace.failed}")
    return made


def predicted(found: Sequence["Prediction"]) -> list[str]:
    """Return a line on the predicted second moments; none where nothing was traced.

    Example:
        >>> from firstlight.model import Prediction
        >>> print(*predicted([Prediction("0", "relu", 0.5), Prediction("1", "relu", 2.0)]))
        second moment at the input of 2 activations: between 0.5 and 2
    """
    if not found:
        return []
    values = [p.second_moment for p in found if p.second_moment is not None]
    count = len(values) or len(found)
    parts = [f"second moment at the input of {count} activation{'s' if count > 1 else ''}"]
    if values:
        lowest, highest = f"{min(values):.3g}", f"{max(values):.3g}"
        parts.append(f": {lowest}" if lowest == highest else f": between {lowest} and {highest}")
    reasons = Counter(p.reason for p in found if p.second_moment is None)
    if reasons:
        parts.append(f"; {len(found) - count} cannot be predicted" if values else ": not predicted")
        parts.append(": " + "; ".join(f"{why} ({n})" for why, n in reasons.most_common(3)))
    return ["".join(parts)]


def _fitting(lines: list[str]) -> list[str]:
    """Cut the rows below the headline to the width of the terminal, if there is one."""
    if sys.stdout is None or not sys.stdout.isatty():
        return lines
    width = shutil.get_terminal_size().columns
    rows = [row if len(row) <= width else row[: width - 1] + "…" for row in lines[1:]]
    return [lines[0], *rows]
