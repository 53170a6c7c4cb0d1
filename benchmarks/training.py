"""Training speed: the harness's loop against sentence-transformers' trainer used by hand, on the same batches.

    python benchmarks/training.py beir/scifact [--steps 8] [--batch 24] [--rounds 3] [--documents 500]

Each round times, in turn and as whole processes, so many steps of multiple-negatives ranking loss with one mined
negative: (a) the trainer with the settings that a careful user chooses on a CPU, bf16 autocast and no dropout, (b) the
loop with the same settings, as `budget="small"` trains. Both have the same examples, order of batches, learning rates
and optimiser. Prints seconds a step (the first one left out), steps a second, seconds of the whole training, and
nDCG@10 of both models on dev, measured after the clock has stopped: the relevant documents and the best of BM25, in
fp32. A ratio below 1 is faster than (a). On a machine with other load, compare the seconds of the processor, with
OMP_NUM_THREADS=1.
"""

from __future__ import annotations

import argparse
import functools
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from _table import Parts, interleaved, parser, show
from harness.api import open_context
from harness.data.dataset import TrainView
from harness.datasets import load_dataset
from harness.methods.bm25 import BM25
from harness.models.encoder import EncoderSettings, open_encoder
from harness.models.resolve import resolve
from harness.runtime.context import Context
from harness.runtime.progress import Advance
from harness.training.dev import EncoderProbe, pool
from harness.training.examples import sides, triplets
from harness.training.gold import gold
from harness.training.lesson import Lesson
from harness.training.loop import seed_of, train
from harness.training.negatives import Mining, mine
from harness.training.schedule import Schedule

MODEL = "sentence-transformers/all-MiniLM-L6-v2"
WAYS = ("(a) trainer by hand", "(b) loop")
LENGTH, RATE, WARMUP, DECAY = 256, 6e-5, 0.1, 0.01
Ends = list[tuple[float, float]]
"""When each step ended: on the clock, and in seconds of the processor, which other load disturbs less."""


def by_hand(model: Any, columns: dict[str, list[str]], arguments: argparse.Namespace, folder: str) -> Ends:
    """What the manual of sentence-transformers says, in bf16 and without dropout; when each step ended."""
    import torch
    from datasets import Dataset
    from sentence_transformers.sentence_transformer import (
        SentenceTransformerTrainer,
        SentenceTransformerTrainingArguments,
        losses,
    )
    from sentence_transformers.sentence_transformer.training_args import BatchSamplers
    from transformers import TrainerCallback

    ends: Ends = []

    class Clock(TrainerCallback):
        def on_step_end(self, *args: Any, **kwargs: Any) -> None:
            ends.append((time.perf_counter(), time.process_time()))

    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    model.max_seq_length = LENGTH
    steps = arguments.steps + 1
    settings = SentenceTransformerTrainingArguments(
        output_dir=folder,
        max_steps=steps,
        per_device_train_batch_size=arguments.batch,
        learning_rate=RATE,
        warmup_steps=round(WARMUP * steps),
        weight_decay=DECAY,
        bf16=True,
        use_cpu=True,
        seed=seed_of(open_context(), "training"),
        batch_sampler=BatchSamplers.NO_DUPLICATES,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )
    SentenceTransformerTrainer(
        model=model,
        args=settings,
        train_dataset=Dataset.from_dict(columns),
        loss=losses.MultipleNegativesRankingLoss(model),
        callbacks=[Clock()],
    ).train()
    return ends


def by_loop(model: Any, columns: dict[str, list[str]], arguments: argparse.Namespace, folder: str) -> Ends:
    """What a recipe's lesson goes through; when each step ended."""
    import contextlib
    from collections.abc import Iterator

    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

    ends: Ends = []

    @contextlib.contextmanager
    def progress(label: str, total: int, unit: str) -> Iterator[Advance]:
        def advance(n: int = 1, note: str | None = None) -> None:
            if n:
                ends.append((time.perf_counter(), time.process_time()))

        yield advance

    schedule = Schedule(
        steps=arguments.steps + 1,
        batch=arguments.batch,
        learning_rate=RATE,
        warmup=WARMUP,
        weight_decay=DECAY,
        max_length=LENGTH,
        dropout=0.0,
        precision="bf16",
        evaluations=1,
    )
    lesson = Lesson(columns, MultipleNegativesRankingLoss, schedule, sides=sides(columns))
    context = open_context(device="cpu", progress=progress)
    train(model, lesson, {"query": "", "document": ""}, None, context, Path(folder), "benchmark")
    return ends


def one(arguments: argparse.Namespace) -> None:
    """One way in this process; prints what it measured."""
    context = open_context(device="cpu")
    columns = json.loads(Path(arguments.examples).read_text(encoding="utf-8"))
    encoder = open_encoder(EncoderSettings(arguments.model, None, None, None, None, None, "fp32", None, False), context)
    model = encoder.fresh()
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        ends = (by_hand if arguments.way == WAYS[0] else by_loop)(model, columns, arguments, folder)
    each = [(last - first) / (len(ends) - 1) for first, last in zip(ends[0], ends[-1], strict=True)]
    measured = {"whole training": time.perf_counter() - start, "processor, a step": each[1], "a step": each[0]}
    view = load_dataset(arguments.dataset, context).train
    held = pool(view, (BM25(),), Schedule(dev_pool=arguments.documents), context)
    dev = EncoderProbe(held, encoder, context, bf16=False)(model.eval()) if held is not None else None
    sys.stdout.write(f"\n{json.dumps({'parts': measured, 'dev': dev})}\n")


def examples_of(view: TrainView, context: Context) -> dict[str, list[str]]:
    """Gold pairs with a negative each, mined by BM25."""
    known = gold(view, context)
    pairs = list(known.pairs())
    mined = mine(Mining((BM25(),), (1, 30)), known.queries, pairs, known.never_negative, view, context)
    return triplets(known.queries.texts, pairs, mined.rows, view)


def main() -> None:
    """Times and prints."""
    options = parser(__doc__, rounds=3)
    options.add_argument("dataset", nargs="?", default="beir/scifact")
    options.add_argument("--steps", type=int, default=8)
    options.add_argument("--batch", type=int, default=24)
    options.add_argument("--documents", type=int, default=500, help="of the dev pool")
    for hidden in ("--way", "--examples", "--model"):
        options.add_argument(hidden, default="", help=argparse.SUPPRESS)
    arguments = options.parse_args()
    if arguments.way:
        return one(arguments)
    context = open_context()
    columns = examples_of(load_dataset(arguments.dataset, context).train, context)
    model = str(resolve(MODEL, context).path)
    scores: dict[str, list[float]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory() as folder:
        examples = Path(folder) / "examples.json"
        examples.write_text(json.dumps(columns), encoding="utf-8")

        def timed(way: str) -> Parts:
            command = [sys.executable, __file__, arguments.dataset, "--way", way, "--examples", str(examples)]
            command += ["--model", model, "--steps", str(arguments.steps), "--batch", str(arguments.batch)]
            command += ["--documents", str(arguments.documents)]
            output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
            measured = json.loads(output.splitlines()[-1])
            if measured["dev"] is not None:
                scores[way].append(measured["dev"])
            return dict(measured["parts"])

        ways = {way: functools.partial(timed, way) for way in WAYS}
        title = f"{arguments.steps} steps of {arguments.batch} examples from {arguments.dataset}"
        table = interleaved(title, ways, arguments.rounds, warm_up=0, against=WAYS[0])
    extra = {way: {"steps/s": _steps_per_second(table.spent[way]), "dev nDCG@10": _dev(scores[way])} for way in WAYS}
    show(table.with_extra(extra), arguments)
    return None


def _steps_per_second(rounds: Any) -> str:
    return f"{1 / statistics.median(parts['a step'] for parts in rounds):.3f}"


def _dev(values: list[float]) -> str:
    return ", ".join(f"{value:.4f}" for value in dict.fromkeys(values)) or "–"


if __name__ == "__main__":
    main()
