"""Earlier measurements of fields as standard results of the entries that ask the same.

`python experiments/field_adopt.py --results results`: reads field-alpha, field-questions and
field-rivals, writes reproduction/weight-scaling/*. Every entry's standard settings are the options
of those measurements, which tests hold run by run.
"""

import argparse
from pathlib import Path

from firstlight.papers.weight_scaling import adopt, grid
from firstlight.papers.weight_scaling.activations import ENTRIES as ACTIVATIONS
from firstlight.papers.weight_scaling.depth import ENTRIES as DEPTH
from firstlight.papers.weight_scaling.domains import ENTRIES as DOMAINS
from firstlight.papers.weight_scaling.pictures import ENTRIES as PICTURES
from firstlight.papers.weight_scaling.rival_starts import ENTRIES as STARTS
from firstlight.papers.weight_scaling.rivals import ENTRIES as RIVALS
from firstlight.papers.weight_scaling.variants import ENTRIES as VARIANTS

ENTRIES = {
    each.name.partition("/")[2]: each
    for part in (PICTURES, DOMAINS, DEPTH, VARIANTS, ACTIVATIONS, RIVALS, STARTS)
    for each in part
}
GRIDS = {
    **{name: ["128", "256"] for name in ("images", "baseline", "doubled", "alpha")},
    "audio": ["audio"],
    "occupancy": ["shape"],
    "sphere": ["sphere"],
    "selection": [*grid.PARTS],
}
QUESTIONS = {
    "depth": ["depth"],
    "layers": ["layers"],
    "draws": ["draws"],
    "sgd-and-batches": ["batches", "optimizer"],
    "trained-alpha": ["trained"],
    "activations": ["families"],
    "relu": ["families"],
    "multiplicative-filters": ["families"],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=Path, required=True)
    results = parser.parse_args().results
    out = results / "reproduction"
    for name, parts in GRIDS.items():
        frame = adopt.of_grid(results / "field-alpha" / "runs.jsonl", parts)
        command = "python experiments/field_alpha.py measure --out results/field-alpha"
        adopt.write_adopted(ENTRIES[name], frame, "results/field-alpha", command, out)
    for name, questions in QUESTIONS.items():
        frame = adopt.of_questions(results / "field-questions" / "runs.jsonl", questions)
        families = ENTRIES[name].presets["standard"].get("families")
        if families is not None:
            frame = frame[frame.group.isin(families)].reset_index(drop=True)
        command = "python experiments/field_questions.py measure --out results/field-questions"
        adopt.write_adopted(ENTRIES[name], frame, "results/field-questions", command, out)
    for name in ("rivals", "other-starts"):
        frame = adopt.of_rivals(results / "field-rivals")
        networks = ENTRIES[name].presets["standard"]["networks"]
        if networks is not None:
            frame = frame[frame.network.isin(networks)].reset_index(drop=True)
        command = "python experiments/field_rivals.py measure --out results/field-rivals"
        adopt.write_adopted(ENTRIES[name], frame, "results/field-rivals", command, out)


if __name__ == "__main__":
    main()
