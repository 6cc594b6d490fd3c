"""What weight scaling (arXiv 2410.04779) leaves open: seven questions, answered by runs.

Kodak 02, 05 and 13, grey, 128 x 128, trained on every second pixel in both axes (4096 samples); the
other pixels judge. Width 256, bfloat16, Adam 1e-4 where nothing else is said, to 40 dB; a run that
does not reach it ends after 600 steps (deep networks earlier, small batches later). alpha="auto" is
chosen once for an image and depth; its seconds are not counted.

What is asked and how stands in ``firstlight.papers.weight_scaling.questions``, where each question
is an entry: `firstlight reproduce weight-scaling/depth --preset standard` asks one of them. This
script asks all and prints them as one page; it takes finished runs from its folder.

`python experiments/field_questions.py measure --out results/field-questions [--question depth]`,
then `python experiments/field_questions.py table --out results/field-questions`.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import torch
from _question_tables import page

from firstlight.papers.entry import Entry
from firstlight.papers.weight_scaling import ENTRIES
from firstlight.papers.work import Work

DATA = Path("../shared/data")
#: Questions by the entry that asks them.
QUESTIONS = {
    "depth": "depth",
    "draws": "draws",
    "layers": "layers",
    "batches": "sgd-and-batches",
    "trained": "trained-alpha",
    "families": "activations",
}

#: Of the page.
ORDER = ["depth", "draws", "layers", "batches", "trained", "optimizer", "families"]


def measure(question: str, out: Path) -> None:
    """Ask one question; its lines replace those of before."""
    entry = {each.name: each for each in ENTRIES}[f"weight-scaling/{QUESTIONS[question]}"]
    work = Work(entry.presets["standard"], out / "parts", DATA, print)
    path = out / "runs.jsonl"
    before = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    lines = asked(question, entry, work)
    own = {each["question"] for each in lines}
    kept = [line for line in before if json.loads(line)["question"] not in own]
    text = "\n".join([*kept, *map(json.dumps, lines)]) + "\n"
    path.write_text(text, encoding="utf-8")


def asked(question: str, entry: Entry, work: Work) -> list[dict[str, Any]]:
    """Rows of an entry as lines."""
    return [line(question, row) for row in entry.measure(work).to_dict("records")]


def line(question: str, row: dict[str, Any]) -> dict[str, Any]:
    """A row of an entry as a line of ``runs.jsonl``."""
    picture, side = row["signal"].split()
    training = json.loads(row["training"])
    steps = (
        None if row["steps_to_target"] != row["steps_to_target"] else int(row["steps_to_target"])
    )
    batch = training.get("batch", (int(side) // 2) ** 2)
    return {
        "question": "optimizer" if "optimizer" in training else question,
        "group": row["group"],
        "variant": row["variant"],
        "image": int(picture.removeprefix("kodim")),
        "seed": row["seed"],
        "side": int(side),
        "network": json.loads(row["network"]),
        "training": training,
        "alpha": None if row["alpha"] != row["alpha"] else row["alpha"],
        "parameters": row["parameters"],
        "steps_to_40": steps,
        "samples_to_40": None if steps is None else steps * batch,
        "steps": int(row["steps"]),
        "psnr": row["psnr"],
        "held_out_psnr": row["held_out_psnr"],
        "stopped": row["stopped"],
        "alphas_at_the_end": json.loads(row["alphas_at_the_end"]),
        "notes": json.loads(row["notes"]),
        "seconds": row["seconds"],
        "torch": row["torch"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("verb", choices=("measure", "table"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--question", action="append", choices=QUESTIONS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    if options.verb == "measure":
        for question in options.question or QUESTIONS:
            measure(question, options.out)
        return
    text = page(options.out / "runs.jsonl", ORDER)
    (options.out / "table.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
