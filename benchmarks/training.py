"""Training speed: the harness's loop against sentence-transformers' trainer used by hand, on the same batches.

    python benchmarks/training.py beir/scifact [--steps 8] [--batch 24] [--rounds 3]

Each round times, in turn and as whole processes, so many steps of multiple-negatives ranking loss with one mined
negative: (a) the trainer by hand in fp32, (b) the loop in fp32, (c) the loop with bf16 autocast, (d) the loop with bf16
and without dropout, as `budget="small"` trains on a CPU. The first step is left out of (a) and of the loop's alike.
Prints seconds a step; a ratio below 1 is faster than (a).
"""

from __future__ import annotations

import argparse
import functools
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from _table import Parts, interleaved, parser, show
from harness.api import open_context
from harness.datasets import load_dataset
from harness.methods.bm25 import BM25
from harness.models.resolve import resolve
from harness.runtime.progress import Advance
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
    model: Any,
    columns: dict[str, list[str]],
    steps: int,
    batch: int,
    folder: str,
    clock: list[float],
    settings: dict[str, Any],
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
    options = parser(__doc__, rounds=3)
    options.add_argument("dataset", nargs="?", default="stdlib/code")
    options.add_argument("--steps", type=int, default=8)
    options.add_argument("--batch", type=int, default=24)
    for hidden in ("--way", "--examples", "--model"):
        options.add_argument(hidden, default="", help=argparse.SUPPRESS)
    arguments = options.parse_args()
    if arguments.way:
        return one(arguments)
    context = open_context()
    view = load_dataset(arguments.dataset, context).train
    held = gold(view, context)
    pairs = list(held.pairs())
    mined = mine(Mining((BM25(),), (1, 30)), held.queries, pairs, held.relevant, view, context)
    columns = triplets(held.queries.texts, pairs, mined.rows, view)
    model = str(resolve(MODEL, context).path)
    with tempfile.TemporaryDirectory() as folder:
        examples = Path(folder) / "examples.json"
        examples.write_text(json.dumps(columns), encoding="utf-8")

        def timed(way: str) -> Parts:
            command = [sys.executable, __file__, "--way", way, "--examples", str(examples), "--model", model]
            command += ["--steps", str(arguments.steps), "--batch", str(arguments.batch)]
            output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            return {"a step": float(output.split()[-1])}

        ways = {way: functools.partial(timed, way) for way in WAYS}
        title = f"{arguments.steps} steps of {arguments.batch} examples from {arguments.dataset}"
        table = interleaved(title, ways, arguments.rounds, warm_up=0, against=next(iter(WAYS)))
    show(table, arguments)
    return None


if __name__ == "__main__":
    main()
