"""Earlier measurements by the same calls, as the tables of entries.

They were kept in other files before there were entries: results/field-alpha, field-questions and
field-rivals.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from firstlight import fields
from firstlight.papers.entry import Entry
from firstlight.papers.reproduce import Reproduced, write
from firstlight.papers.weight_scaling import grid, rivals
from firstlight.papers.weight_scaling.fits import Row, alpha_name, table

if TYPE_CHECKING:
    import pandas as pd

#: Folders of results/field-rivals by signal.
KINDS = {
    "era u": "sphere",
    "stanford-bunny 4096": "shape",
    "bach 1 s short": "audio",
    "kodim05 128": "image",
}


def of_grid(path: Path, parts: list[str]) -> "pd.DataFrame":
    """Read lines of results/field-alpha as the table of ``grid.measure``.

    Args:
        path: runs.jsonl.
        parts: of ``grid.PARTS``; in the order of its signals, depths and alphas.
    """
    found: dict[tuple[str, str, int], dict[Any, dict[str, Any]]] = {}
    for run in _lines(path):
        key = (run["part"], _grid_name(run), run["depth"])
        found.setdefault(key, {})[run["asked"]] = run
    rows: list[Row] = []
    for part in parts:
        for name, depths in grid.PARTS[part]["signals"].items():
            for depth in depths:
                runs = found[part, name, depth]
                asked = ["auto", *sorted(each for each in runs if each != "auto")]
                rows += [_grid_row(part, name, runs[each]) for each in asked]
    return table(rows)


def _grid_name(run: dict[str, Any]) -> str:
    return f"{run['signal']} {2**14}" if run["part"] == "shape" else str(run["signal"])


def _grid_row(part: str, name: str, run: dict[str, Any]) -> Row:
    options, depth, precision = grid.PARTS[part], run["depth"], run["precision"]
    network = fields.Sine(
        width=grid.WIDTH, depth=depth, alpha=run["asked"], omega_0=options["omega_0"]
    )
    training = {
        "target_psnr": options["target"],
        "steps": grid.MOST_STEPS,
        "learning_rate": grid.RATE,
        "precision": precision,
    }
    inputs = {"audio": 1, "sphere": 3, "shape": 3}.get(part, 2)
    return {
        "group": f"{part}, depth {depth}",
        "variant": alpha_name(run["asked"]),
        "signal": name,
        "seed": 0,
        "network": json.dumps(network.as_dict(), sort_keys=True),
        "training": json.dumps(training, sort_keys=True),
        "alpha": run["alpha"],
        "omega_0": run["omega_0"],
        "parameters": network.with_alpha(1.0).parameters(inputs, 1),
        "steps_to_target": run["steps"],
        "steps": run["steps"] or grid.MOST_STEPS,
        "psnr": run["psnr"],
        "held_out_psnr": round(run["measured"]["held_out_psnr"], 3),
        "measured": json.dumps(run["measured"]),
        "stopped": "steps" if run["steps"] is None else "target",
        "alphas_at_the_end": "[]",
        "notes": "[]",
        "seconds": run["seconds"],
        "torch": run["torch"],
        "part": part,
        "depth": depth,
        "target": options["target"],
    }


def of_questions(path: Path, questions: list[str]) -> "pd.DataFrame":
    """Read lines of results/field-questions as the table of one entry.

    Args:
        path: runs.jsonl.
        questions: depth, draws, layers, batches, trained, optimizer or families.
    """
    lines = _lines(path)
    asked = [run for each in questions for run in lines if run["question"] == each]
    return table([_question_row(run) for run in asked])


def _question_row(run: dict[str, Any]) -> Row:
    quality = {"psnr": run["psnr"], "held_out_psnr": run["held_out_psnr"]}
    alpha = run["alpha"]
    return {
        "group": run["group"],
        "variant": run["variant"],
        "signal": f"kodim{run['image']:02} {run['side']}",
        "seed": run["seed"],
        "network": json.dumps(run["network"], sort_keys=True),
        "training": json.dumps(run["training"], sort_keys=True),
        "alpha": alpha if isinstance(alpha, int | float) else None,
        "omega_0": run["network"].get("omega_0"),
        "parameters": run["parameters"],
        "steps_to_target": run["steps_to_40"],
        "steps": run["steps"],
        **quality,
        "measured": json.dumps(quality),
        "stopped": run["stopped"],
        "alphas_at_the_end": json.dumps(run["alphas_at_the_end"]),
        "notes": json.dumps(run["notes"]),
        "seconds": run["seconds"],
        "torch": run["torch"],
    }


def of_rivals(folder: Path) -> "pd.DataFrame":
    """Read the studies of results/field-rivals as the table of ``rivals.measure``."""
    import pandas as pd

    rows = []
    for name, kind in KINDS.items():
        study = json.loads((folder / kind / "study.json").read_text(encoding="utf-8"))
        rows += rivals.rows_of(name, study, rivals.STANDARD["level"])
    return pd.DataFrame(rows)


def write_adopted(
    entry: Entry, frame: "pd.DataFrame", adopted: str, command: str, out: Path
) -> None:
    """Keep an earlier measurement as an entry's standard one.

    Args:
        entry: whose standard settings are those that were measured.
        frame: of one of the functions above.
        adopted: the folder of the earlier measurement.
        command: that made it, kept as a note.
        out: folder of results.
    """
    about = {
        "entry": entry.name,
        "preset": "standard",
        "settings": json.loads(json.dumps(entry.presets["standard"])),
        "command": f"firstlight reproduce {entry.name} --preset standard --data ../shared/data",
        "made_by": command,
        "seconds": round(float(frame.seconds.sum()), 1),
        "versions": {"firstlight": "0.1.0", "torch": "2.13.0+cpu"},
        "adopted": adopted,
    }
    found = Reproduced(entry, about, frame, tuple(entry.judge(frame)))
    write(found, out / entry.name)


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
