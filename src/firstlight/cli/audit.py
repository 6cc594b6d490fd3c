"""The command ``firstlight audit``: what a network is like before it trains."""

import contextlib
import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from firstlight.cli.arguments import find_own_code, folder, several, whole
from firstlight.cli.extras import require
from firstlight.cli.output import console, put, rendered
from firstlight.cli.subject import Asked, Subject, subject
from firstlight.cli.target import check_writable
from firstlight.errors import FirstlightError, OptionError

if TYPE_CHECKING:
    from firstlight.auditing import Audit


def audit(
    model: Annotated[
        str,
        typer.Argument(
            help="mlp, small_resnet, small_vit, torchvision:NAME, timm:NAME, hf:NAME, or "
            "module:factory, which runs your own code: factory(in_channels, image_size, classes) "
            "for labelled images if it takes so much, else factory(). Arguments may follow, as in "
            "mlp:depth=30.",
            show_default=False,
        ),
    ],
    data: Annotated[
        str | None,
        typer.Option(
            help="digits, cifar10, cifar100, mnist, fashion_mnist, parquet:PATH, random (samples "
            "by chance), or module:factory, which runs your own code as factory() for a batch: "
            "inputs, or (inputs, targets).",
            show_default="digits for mlp, small_resnet, small_vit; random for others",
        ),
    ] = None,
    input_: Annotated[
        str | None,
        typer.Option(
            "--input",
            help="Shape of one random sample as in 3x64x64 (for texts, their length).",
            show_default="what the model is made for",
            metavar="<shape>",
        ),
    ] = None,
    batch_size: Annotated[
        int | None,
        typer.Option(
            help="Samples of the batch.",
            show_default="64; random: 16 if large, 8 texts",
            parser=whole,
            metavar="<int>",
        ),
    ] = None,
    scheme: Annotated[
        str | None,
        typer.Option(
            help="How the network starts; options as in harmonic:gain=relu. default keeps the "
            "framework's start, auto is that of firstlight plan.",
            show_default="default",
        ),
    ] = None,
    compare: Annotated[
        str | None,
        typer.Option(
            help="Several schemes side by side, as in default,he_normal.", metavar="<schemes>"
        ),
    ] = None,
    loss: Annotated[
        str | None,
        typer.Option(
            help="cross_entropy, mse, l1, bce_with_logits, or module:function, which runs your own "
            "code on output and targets.",
            show_default="what the targets ask for",
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(help="Of the start and the batch.", parser=whole, metavar="<int>")
    ] = 0,
    ntk: Annotated[bool, typer.Option("--ntk", help="Measure the tangent kernel, too.")] = False,
    jacobian: Annotated[
        bool, typer.Option("--jacobian", help="Measure the Jacobian by the input, too.")
    ] = False,
    spectra: Annotated[
        bool, typer.Option("--spectra", help="Ranks of very large matrices, too: takes minutes.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for a report: a page with pictures, Markdown and JSON.",
            parser=folder,
            metavar="<folder>",
            show_default="no report",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings count as failures.")] = False,
    data_root: Annotated[
        Path | None,
        typer.Option(help="Folder for downloaded data.", show_default="~/.cache/firstlight"),
    ] = None,
) -> None:
    """Look at a network before it trains: one forward and backward pass, measured and judged.

    The network is built untrained. Exit code: 0 if no check fails, 1 if one does.
    """
    if scheme is not None and compare is not None:
        raise OptionError("expected one of --scheme and --compare, got both; leave one out")
    schemes = several(compare) if compare is not None else ["default" if scheme is None else scheme]
    asked = Asked(model, data, input_, batch_size, loss, seed, data_root)
    looks = {"ntk": ntk, "jacobian": jacobian, "spectra": spectra}
    found, audits, report = _audited(asked, schemes, looks, out)
    if as_json:
        plain = {name: one.to_dict() for name, one in audits.items()}
        put(json.dumps(plain if compare is not None else plain[schemes[0]], indent=2), "audit")
        for line in (f"Batch: {found.about}", *report):
            typer.echo(line, err=True)
    else:
        text = _text(model, found.about, audits, side_by_side=compare is not None)
        put("\n".join([text, *report]), "audit")
    levels = {one.level for one in audits.values()}
    if "failure" in levels or (strict and "warning" in levels):
        raise typer.Exit(1)


def _audited(
    asked: Asked, schemes: list[str], looks: dict[str, bool], out: Path | None
) -> "tuple[Subject, dict[str, Audit], list[str]]":
    """Check everything, look, and write a report where one is wanted; say where it is."""
    if out is not None:
        require("--out")
        if out.exists() and not out.is_dir():
            raise OptionError(f"--out must be a folder, got the file {out}")
        check_writable(out)
    from firstlight.auditing import audit_starts
    from firstlight.auditing.starts import check_schemes
    from firstlight.model.libraries import quiet

    check_schemes(schemes)
    find_own_code()
    waiting = Console(stderr=True).status(f"looking at {asked.model}")
    with waiting, contextlib.redirect_stdout(sys.stderr), quiet():  # others' code may talk
        found = subject(asked)
        try:
            audits = audit_starts(
                found.model, found.batch, schemes, loss=found.loss, seed=asked.seed, **looks
            )
        except FirstlightError as error:
            raise type(error)(f"{asked.model} on {found.about}: {error}") from error
        return found, audits, _report(audits, out)


def _report(audits: "dict[str, Audit]", out: Path | None) -> list[str]:
    if out is None:
        return []
    from firstlight.report import write_audit

    command = shlex.join(["firstlight", *sys.argv[1:]])
    written = write_audit(audits, out, command=command)
    return [f"Report: {written[-1]}"]


def _text(name: str, about: str, audits: "dict[str, Audit]", *, side_by_side: bool) -> str:
    from firstlight.cli.show import SideBySide, Single
    from firstlight.cli.show.layers import Layers

    if side_by_side:
        return rendered(SideBySide(name, about, audits))
    (scheme, one), *_ = audits.items()
    single = Single(f"{name}, {scheme} start", about, one)
    if console().is_terminal:
        return rendered(single)
    return "\n".join([*single.lines(), rendered(Layers(one))])
