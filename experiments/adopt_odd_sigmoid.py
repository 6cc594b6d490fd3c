"""Studies of earlier sessions as standard results of `firstlight reproduce odd-sigmoid`.

A study in results/ that was made with the options of a part of an entry's standard preset is laid
out as the entry lays it out, and not made again; what results/ lacks is measured, and its runs are
kept in --runs.
`python experiments/adopt_odd_sigmoid.py --data ../shared/data --runs /tmp/odd-sigmoid`; names of
entries after it take these alone.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from firstlight.papers.entry import Entry
from firstlight.papers.odd_sigmoid import ENTRIES, _elsewhere, _pinn, _studies
from firstlight.papers.reproduce import Reproduced, reproduce, write
from firstlight.papers.work import Work
from firstlight.physics import PinnStudy
from firstlight.studies import DepthStudy

RESULTS, OUT = Path("results"), Path("results/reproduction")
#: Folder of results/ by entry and part.
FOLDERS = {
    "signals": {"digits": "depth-signals"},
    "benchmarks": {"cifar10": "depth-cifar10"},
    "few-samples": {"mnist": "depth-few-samples"},
    "full-training": {"mnist": "depth-full-training"},
    "hard-case": {"hard": "depth-hard-case"},
    "norms": {"hard": "depth-hard-case", "one-width": "depth-full-training"},
    "noise-scale": {"mnist": "depth-noise-scale", "longer": "depth-noise-scale-longer"},
    "wrong-omega": {"mnist": "depth-wrong-omega"},
    "negative-rate": {"mnist": "depth-negative-rate", "deepest": "depth-negative-rate-1000"},
    "target-rate": {"mnist": "depth-negative-rate", "deepest": "depth-negative-rate-1000"},
    "learning-rate": {"mnist": "depth-full-training"},
    "pinn-burgers": {
        "layers-30": "pinn-starts/burgers-30",
        "layers-20": "pinn-starts/burgers",
        "few-points": "pinn-starts/burgers-few-points",
    },
    "pinn-allen-cahn": {"hard": "pinn-starts/allen_cahn_hard"},
    "cnn-transformer": {"conv": "diagonal-conv", "attention": "diagonal-attention"},
    "residual": {"residual": "diagonal-residual"},
    "recurrent": {"recurrent": "diagonal-recurrent"},
    "relu-gelu": {"relu": "diagonal-relu", "gelu": "diagonal-gelu"},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--runs", type=Path, required=True)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    for entry in ENTRIES:
        name = entry.name.partition("/")[2]
        if asked.names and name not in asked.names:
            continue
        began = time.process_time()
        if name in FOLDERS:
            adopt(entry, FOLDERS[name], asked.data, asked.runs / name)
        else:
            found = reproduce(entry, "standard", out=asked.runs / "whole", data=asked.data)
            write(found, OUT / entry.name)
        print(f"{entry.name}: {time.process_time() - began:.0f} s", flush=True)


def adopt(entry: Entry, folders: dict[str, str], data: Path, runs: Path) -> None:
    """Write an entry's standard results from what is there, and what is measured now."""
    standard = entry.presets["standard"]["studies"]
    rest = {part: options for part, options in standard.items() if part not in folders}
    frames, about = {}, {"seconds": 0.0}
    if rest:
        began = time.monotonic()
        measured = entry.measure(Work({"studies": rest}, runs, data, print))
        frames = dict(iter(measured.groupby("part", sort=False)))
        about["seconds"] = time.monotonic() - began
    commands = {}
    for part, folder in folders.items():
        frames[part], commands[folder], found = rows(RESULTS / folder, part)
        about = {**found, "seconds": about["seconds"] + found["seconds"]}
    frame = pd.concat([frames[part] for part in standard], ignore_index=True)
    about |= {
        "entry": entry.name,
        "preset": "standard",
        "settings": json.loads(json.dumps(entry.presets["standard"])),
        "command": "; ".join(dict.fromkeys(commands.values())),
        "adopted": {part: f"results/{folder}" for part, folder in folders.items()},
        "seconds": round(about["seconds"], 1),
    }
    if rest:
        here = f"firstlight reproduce {entry.name} --preset standard --data {data}"
        about["command"] += f"; {', '.join(rest)}: {here}"
    write(Reproduced(entry, about, frame, tuple(entry.judge(frame))), OUT / entry.name)


def rows(folder: Path, part: str) -> tuple[pd.DataFrame, str, dict[str, Any]]:
    """Rows of a study, its command, and its seconds and versions."""
    if (folder / "spec.json").exists():
        return elsewhere(folder, part)
    found = json.loads((folder / "study.json").read_bytes())
    if "study" in found:
        about, study = found["about"], DepthStudy.from_dict(found["study"])
        seconds, versions = about["seconds"], about["versions"]
        return (
            _studies.rows_of(study, part),
            about["command"],
            {
                "seconds": seconds,
                "versions": versions,
            },
        )
    problem = PinnStudy.from_dict(found)
    frame = _pinn.rows_of(problem, part)
    command = (folder / "table.md").read_text(encoding="utf-8").split("`")[1]
    about = {"seconds": float(frame.seconds.sum()), "versions": problem.versions}
    return frame, command, about


def elsewhere(folder: Path, part: str) -> tuple[pd.DataFrame, str, dict[str, Any]]:
    """The same of networks that are not plain."""
    spec = json.loads((folder / "spec.json").read_bytes())
    frame = _elsewhere.rows_of(pd.read_parquet(folder / "results.parquet"), part)
    command = f"WHERE={part} python experiments/diagonal_elsewhere.py --out results/{folder.name}"
    versions = {name: spec[name] for name in ("torch", "firstlight")}
    return frame, command, {"seconds": float(frame.seconds.sum()), "versions": versions}


if __name__ == "__main__":
    main()
