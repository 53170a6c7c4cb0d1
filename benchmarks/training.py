"""Training speed: the harness's loop against sentence-transformers' trainer used by hand, on the same batches.

    python benchmarks/training.py beir/scifact [--steps 8] [--batch 24] [--rounds 3]

Each round times, in turn and as whole processes, so many steps of multiple-negatives ranking loss with one mined negative: (a)
the trainer by hand in fp32, (b) the loop in fp32, (c) the loop with bf16 autocast, (d) the loop with bf16 and without dropout, as
`budget="small"` trains on a CPU. The first step is left out of (a) and of the loop's alike. Prints steps per second and ratios.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from harness.api import open_context
from harness.context import Advance
from harness.datasets import load_dataset
from harness.methods.bm25 import BM25
from harness.modeling.resolve import resolve
from harness.training.examples import sides, triplets
from harness.training.gold import gold
from harness.training.lesson import Lesson
from harness.training.loop import train
from harness.training.negatives import Mining, mine
from harness.training.schedule import Schedule

MODEL = "sentence-transformers/all-MiniLM-L6-v2"
WAYS: dict[str, dict[str, Any]] = {
    "(a) trainer by hand, fp32": {},
    "(b) loop, fp32": {"precision": "fp32"},
    "(c) loop, bf16": {"precision": "bf16"},
    "(d) loop, bf16, no dropout": {"precision": "bf16", "dropout": 0.0},
}


def by_hand(model: Any, columns: dict[str, list[str]], steps: int, batch: int, folder: str, clock: list[float]) -> None:
    """What the manual of sentence-transformers says."""
    from datasets import Dataset
    from sentence_transformers.sentence_transformer import (
        SentenceTransformerTrainer,
        SentenceTransformerTrainingArguments,
        losses,
    )
    from sentence_transformers.sentence_transformer.training_args import BatchSamplers
    from transformers import TrainerCallback

    class Clock(TrainerCallback):
        def on_step_end(self, *args: Any, **kwargs: Any) -> None:
            clock.append(time.perf_counter())

    arguments = SentenceTransformerTrainingArguments(
        output_dir=folder,
        max_steps=steps,
        per_device_train_batch_size=batch,
        learning_rate=3e-5,
        batch_sampler=BatchSamplers.NO_DUPLICATES,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )
    SentenceTransformerTrainer(
        model=model,
        args=arguments,
        train_dataset=Dataset.from_dict(columns),
        loss=losses.MultipleNegativesRankingLoss(model),
        callbacks=[Clock()],
    ).train()


def by_loop(
    model: Any, columns: dict[str, list[str]], steps: int, batch: int, folder: str, clock: list[float], settings: dict[str, Any]
) -> None:
    """What a recipe's lesson goes through."""
    import contextlib
    from collections.abc import Iterator

    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

    @contextlib.contextmanager
    def progress(label: str, total: int, unit: str) -> Iterator[Advance]:
        def advance(n: int = 1, note: str | None = None) -> None:
            if n:
                clock.append(time.perf_counter())

        yield advance

    context = open_context(progress=progress)
    schedule = Schedule(steps=steps, batch=batch, learning_rate=3e-5, evaluations=1, **settings)
    lesson = Lesson(columns, MultipleNegativesRankingLoss, schedule, sides=sides(columns))
    train(model, lesson, {"query": "", "document": ""}, None, context, Path(folder), "benchmark")


def one(arguments: argparse.Namespace) -> None:
    """One way in this process; prints seconds per step."""
    from sentence_transformers import SentenceTransformer

    columns = json.loads(Path(arguments.examples).read_text(encoding="utf-8"))
    model = SentenceTransformer(arguments.model)
    model.max_seq_length = 256
    clock: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        if arguments.way.startswith("(a)"):
            by_hand(model, columns, arguments.steps + 1, arguments.batch, folder, clock)
        else:
            by_loop(model, columns, arguments.steps + 1, arguments.batch, folder, clock, WAYS[arguments.way])
    sys.stdout.write(f"\n{(clock[-1] - clock[0]) / (len(clock) - 1)}\n")


def main() -> None:
    """Times and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", nargs="?", default="stdlib/code")
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--batch", type=int, default=24)
    parser.add_argument("--rounds", type=int, default=3)
    for hidden in ("--way", "--examples", "--model"):
        parser.add_argument(hidden, default="", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.way:
        return one(arguments)
    context = open_context()
    view = load_dataset(arguments.dataset, context).train
    held = gold(view, context)
    pairs = list(held.pairs())
    mined = mine(Mining((BM25(),), (1, 30)), held.queries, pairs, held.relevant, view, context)
    columns = triplets(held.queries.texts, pairs, mined.rows, view)
    spent: dict[str, list[float]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory() as folder:
        examples = Path(folder) / "examples.json"
        examples.write_text(json.dumps(columns), encoding="utf-8")
        for _ in range(arguments.rounds):
            for way in WAYS:
                command = [sys.executable, __file__, "--way", way, "--examples", str(examples)]
                command += ["--model", str(resolve(MODEL, context).path)]
                command += ["--steps", str(arguments.steps), "--batch", str(arguments.batch)]
                told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
                spent[way].append(float(told.split()[-1]))
    first = statistics.median(spent["(a) trainer by hand, fp32"])
    for way, seconds in spent.items():
        middle = statistics.median(seconds)
        print(f"{way:28} {1 / middle:6.3f} steps/s  {first / middle:5.2f} × (a)")
    return None


if __name__ == "__main__":
    main()
