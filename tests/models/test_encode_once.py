import dataclasses
import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.base.errors import ModelError
from harness.cache.shards import text_keys
from harness.cache.vectors import VectorStore
from harness.data.ranking import Floats
from harness.models import encode_once as module
from harness.models.encode_once import EncodeTask, encode_once
from harness.models.tokens import Item
from harness.runtime.context import Context
from harness.runtime.ledger import costs


def vector(text: str) -> Floats:
    """A vector that anybody can work out from the text."""
    return np.frombuffer(hashlib.sha256(text.encode()).digest()[:8], np.uint16).astype(np.float32)


class Model:
    """Runs texts and remembers the batches."""

    def __init__(self, fail_on: str = "") -> None:
        self.batches: list[list[str]] = []
        self.fail_on = fail_on

    @property
    def ran(self) -> list[str]:
        return [text for batch in self.batches for text in batch]

    def run(self, texts: Sequence[str]) -> Floats:
        if self.fail_on in texts:
            raise ModelError(f"cannot read {self.fail_on}")
        self.batches.append(list(texts))
        return np.stack([vector(text) for text in texts])

    def work(self, budget: int = 8) -> EncodeTask[str, Floats]:
        return EncodeTask("encode", "texts", text_keys, lambda texts: [len(t) for t in texts], self.run, lambda: budget)


def store_of(context: Context) -> VectorStore:
    return VectorStore(context.cache, "embeddings", "k", {})


def asked(texts: Sequence[str], model: Model, context: Context) -> Floats:
    vectors = encode_once(texts, model.work(), store_of(context), context)
    return vectors.block(0, len(vectors))


def test_vectors_come_in_the_order_of_the_items_whatever_the_batches(context: Context) -> None:
    texts = ["ccc", "a", "bbbbbbbbbbbbbbbb", "dd", "eeee"]
    assert np.array_equal(asked(texts, Model(), context), np.stack([vector(t) for t in texts]))


def test_the_second_asking_runs_nothing(context: Context) -> None:
    texts = ["one", "two", "three"]
    first, second = Model(), Model()
    before = asked(texts, first, context)
    assert np.array_equal(asked(texts[::-1], second, context), before[::-1])
    assert (sorted(first.ran), second.ran) == (sorted(texts), [])


def test_only_what_is_not_kept_yet_is_run(context: Context) -> None:
    asked(["one", "two"], Model(), context)
    model = Model()
    asked(["zero", "one", "two", "three"], model, context)
    assert sorted(model.ran) == ["three", "zero"]


def test_an_item_that_comes_twice_is_run_once_even_across_chunks(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHUNK", 3)
    model = Model()
    texts = ["a", "b", "a", "a", "c", "b", "d", "a"]
    assert np.array_equal(asked(texts, model, context), np.stack([vector(t) for t in texts]))
    assert sorted(model.ran) == ["a", "b", "c", "d"]


def test_no_items_are_no_vectors_and_no_work(context: Context) -> None:
    model = Model()
    assert len(encode_once([], model.work(), store_of(context), context)) == 0
    assert model.batches == []


def test_the_step_counts_what_was_asked_and_what_was_computed(context: Context) -> None:
    context.ledger.once("index", "first", "1", lambda: asked(["a", "b", "a"], Model(), context))
    context.ledger.once("index", "second", "2", lambda: asked(["a", "b", "c"], Model(), context))
    assert context.ledger.steps["index:1"].counts == {"asked": 3, "computed": 2}
    assert context.ledger.steps["index:2"].counts == {"asked": 3, "computed": 1}


def test_a_step_is_told_what_the_vectors_it_takes_from_the_cache_took_to_make(context: Context) -> None:
    model = Model()
    slow = EncodeTask(
        "encode", "texts", text_keys, lambda t: [1] * len(t), lambda t: (time.sleep(0.4), model.run(t))[1], lambda: 100
    )
    context.ledger.once("index", "first", "1", lambda: encode_once(["a", "b"], slow, store_of(context), context))
    context.ledger.once("index", "second", "2", lambda: encode_once(["a"], slow, store_of(context), context))
    assert costs([context.ledger.steps["index:1"]]) == [context.ledger.steps["index:1"].seconds]
    (shard,) = store_of(context).read().shards
    assert shard.seconds >= 0.4
    second = context.ledger.steps["index:2"]
    assert second.seconds < 0.4
    assert costs([second])[0] == pytest.approx(second.seconds + shard.seconds / 2)


def test_a_text_that_several_steps_took_counts_for_the_first_alone(context: Context) -> None:
    slow = EncodeTask(
        "encode",
        "texts",
        text_keys,
        lambda t: [1] * len(t),
        lambda t: (time.sleep(0.3), Model().run(t))[1],
        lambda: 100,
    )
    encode_once(["a", "b", "c"], slow, store_of(context), context)
    context.ledger.once(
        "index",
        "first",
        "1",
        lambda: (
            encode_once(["a", "b", "a"], slow, store_of(context), context),
            encode_once(["b"], slow, store_of(context), context),
        ),
    )
    context.ledger.once("index", "second", "2", lambda: encode_once(["b", "c"], slow, store_of(context), context))
    (shard,) = store_of(context).read().shards
    first, second = (context.ledger.steps[f"index:{i}"] for i in (1, 2))
    assert costs([first, second]) == pytest.approx(
        [first.seconds + shard.seconds * 2 / 3, second.seconds + shard.seconds / 3]
    )
    assert costs([second]) == pytest.approx([second.seconds + shard.seconds * 2 / 3])


def test_what_was_done_before_an_error_is_kept(context: Context) -> None:
    texts = ["aaaaaaaa", "bbbbbbb", "cccccc", "ddddd"]
    broken = Model(fail_on="cccccc")
    with pytest.raises(ModelError, match="cannot read cccccc"):
        asked(texts, broken, context)
    model = Model()
    asked(texts, model, context)
    assert (broken.ran, model.ran) == (["aaaaaaaa", "bbbbbbb"], ["cccccc", "ddddd"])


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text("ab", min_size=1, max_size=9), min_size=1, max_size=40), st.integers(0, 12))
def test_work_that_resumes_after_a_kill_makes_the_very_batches_the_killed_one_would_have_made(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], done: int
) -> None:
    from harness.cache.folders import Cache

    whole, killed, resumed = Model(), Model(), Model()
    monkey = pytest.MonkeyPatch()
    with monkey.context() as patch:
        patch.setattr(module, "CHUNK", 16)
        patch.setattr(module, "FLUSH_SECONDS", -1.0)  # every batch is written at once
        root = tmp_path_factory.mktemp("resume")
        straight, broken = Context(cache=Cache(root / "a")), Context(cache=Cache(root / "b"))
        asked(texts, whole, straight)

        def run(some: Sequence[str]) -> Floats:
            if len(killed.batches) == done:
                raise KeyboardInterrupt
            return killed.run(some)

        work = EncodeTask("encode", "texts", text_keys, lambda t: [len(x) for x in t], run, lambda: 8)
        try:
            encode_once(texts, work, store_of(broken), broken)
        except KeyboardInterrupt:
            asked(texts, resumed, broken)
    assert killed.batches + resumed.batches == whole.batches


def test_work_is_written_while_it_goes_on_and_merged_at_the_end(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FLUSH_SECONDS", -1.0)
    store, shards = store_of(context), []
    model = Model()

    def run(some: Sequence[str]) -> Floats:
        shards.append(len(list(store.folder.glob("*.arrow"))))
        return model.run(some)

    texts = [f"text {i}" for i in range(12)]
    encode_once(texts, EncodeTask("encode", "texts", text_keys, lambda t: [8] * len(t), run, lambda: 8), store, context)
    assert shards == list(range(12))
    assert len(list(store.folder.glob("*.arrow"))) == 1


def test_progress_tells_of_every_item_that_is_not_kept(tmp_path: Path, context: Context) -> None:
    import contextlib

    told: list[tuple[str, int, str]] = []
    advanced: list[int] = []

    @contextlib.contextmanager
    def progress(label: str, total: int, unit: str):
        told.append((label, total, unit))
        yield lambda n=1: advanced.append(n)

    context = dataclasses.replace(context, progress=progress)
    asked(["a"], Model(), context)
    asked(["a", "b", "c", "b"], Model(), context)
    assert told == [("encode", 1, "texts"), ("encode", 3, "texts")]
    assert sum(advanced) == 1 + 3


AT_ONCE = """
import sys, time
from pathlib import Path
import numpy as np
from harness.cache.folders import Cache
from harness.cache.vectors import VectorStore
from harness.cache.shards import text_keys
from harness.runtime.context import Context
from harness.runtime.ledger import costs
from harness.models.encode_once import EncodeTask, encode_once
root, name = Path(sys.argv[1]), sys.argv[2]
context = Context(cache=Cache(root / "cache"))
log = open(root / f"{name}.log", "w", buffering=1)
def run(texts):
    time.sleep(0.05)
    log.writelines(f"{t}\\n" for t in texts)
    return np.full((len(texts), 4), len(texts[0]), np.float32)
(root / f"{name}.ready").touch()
while len(list(root.glob("*.ready"))) < 2:
    time.sleep(0.005)
texts = [f"text {i % 40}" for i in range(60)]
found = encode_once(texts, EncodeTask("encode", "texts", text_keys, lambda t: [1] * len(t), run, lambda: 4),
             VectorStore(context.cache, "embeddings", "k", {}), context)
print(found.block(0, 60).shape)
"""


def test_two_processes_with_the_same_texts_at_once_compute_each_once(tmp_path: Path) -> None:
    command = [sys.executable, "-c", AT_ONCE, str(tmp_path)]
    processes = [subprocess.Popen([*command, name], stdout=subprocess.PIPE, text=True) for name in ("one", "two")]
    assert [p.communicate(timeout=60)[0] for p in processes] == ["(60, 4)\n"] * 2
    ran = (tmp_path / "one.log").read_text().splitlines() + (tmp_path / "two.log").read_text().splitlines()
    assert sorted(ran) == sorted(f"text {i}" for i in range(40))


KILLED = """
import sys, time
from pathlib import Path
import harness.models.encoder, harness.models.encode_once
from harness.bench.runner import Bench
from harness.bench.store import Store
from harness.cache.folders import Cache
from harness.runtime.context import Context
from harness.runtime.ledger import costs
from harness.methods.dense import Dense
harness.models.encode_once.FLUSH_SECONDS = -1.0
once = harness.models.encoder.Encoder.run
def slow(self, items, side):
    time.sleep(0.1)
    return once(self, items, side)
harness.models.encoder.Encoder.run = slow
root, model, folder = sys.argv[1:]
method, root = Dense(model=model), Path(root)
context, store = Context(batch_tokens=64, cache=Cache(root / "cache")), Store(root / "results")
Bench([method], [folder], context, store, ["nDCG@10"]).run(folder, method)
"""


def test_a_run_killed_while_it_encodes_goes_on_where_it_was_and_ends_in_the_same_bytes(
    tmp_path: Path, tiny_encoder: Path, small_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from harness.bench.runner import Bench
    from harness.bench.store import Store
    from harness.cache.folders import Cache
    from harness.methods.dense import Dense
    from harness.models.encoder import Encoder

    method = Dense(model=str(tiny_encoder))
    encoded: list[str] = []
    once = Encoder.run

    def counting(self: Encoder, items: Sequence[Item[str]], side: str) -> Floats:
        encoded.extend(f"{side} {item.source}" for item in items)
        return once(self, items, side)

    monkeypatch.setattr(Encoder, "run", counting)
    monkeypatch.setattr("harness.bench.latency.Timing.round", lambda self: None)  # it encodes queries without the cache

    def run_in(root: Path) -> tuple[bytes, list[str]]:
        encoded.clear()
        context, store = Context(batch_tokens=64, cache=Cache(root / "cache")), Store(root / "results")
        record = Bench([method], [str(small_folder)], context, store, ["nDCG@10"]).run(str(small_folder), method).record
        assert record.status == "ok", record.problem
        return store.place(record.dataset["name"], method, 0).run.read_bytes(), sorted(encoded)

    embeddings = tmp_path / "killed" / "cache" / "embeddings"
    started = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path / "killed"), str(tiny_encoder), str(small_folder)]
    )
    until = time.monotonic() + 90
    while len(list(embeddings.glob("*/*.arrow"))) < 5 and started.poll() is None and time.monotonic() < until:
        time.sleep(0.01)
    os.kill(started.pid, signal.SIGKILL)
    assert started.wait() == -signal.SIGKILL, "it ended before it could be killed"
    assert not list((tmp_path / "killed" / "results").glob("*/*/*.json"))

    whole, every = run_in(tmp_path / "whole")
    resumed, rest = run_in(tmp_path / "killed")
    assert resumed == whole
    assert 0 < len(rest) <= len(every) - 5
    assert set(rest) < set(every)


def test_what_is_prepared_is_what_is_measured_and_run_each_item_once(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHUNK", 3)
    prepared: list[list[str]] = []
    model = Model()

    def prepare(texts: Sequence[str]) -> list[tuple[str, int]]:
        prepared.append(list(texts))
        return [(text, len(text)) for text in texts]

    texts = ["ccc", "a", "bbbb", "dd", "a", "eeeee", "f"]
    work = EncodeTask[str, Floats](
        "encode",
        "texts",
        text_keys,
        lambda some: [length for _, length in some],
        lambda some: model.run([text for text, _ in some]),
        lambda: 8,
        prepare,
    )
    found = encode_once(texts, work, store_of(context), context)
    assert np.array_equal(found.block(0, len(found)), np.stack([vector(t) for t in texts]))
    assert prepared == [["ccc", "a", "bbbb"], ["dd", "eeeee"], ["f"]]
    assert model.batches == [["bbbb", "ccc"], ["a"], ["eeeee"], ["dd"], ["f"]]


def test_the_next_chunk_is_prepared_while_the_model_runs_and_the_first_in_the_callers_thread(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHUNK", 1)
    threads: list[str] = []
    second = threading.Event()

    def prepare(texts: Sequence[str]) -> Sequence[str]:
        threads.append(threading.current_thread().name)
        if len(threads) == 2:
            second.set()
        return texts

    def run(texts: Sequence[str]) -> Floats:
        assert second.wait(10), "the model runs, and the next chunk is not prepared beside it"
        return np.stack([vector(text) for text in texts])

    work = EncodeTask[str, Floats]("encode", "texts", text_keys, lambda t: [1] * len(t), run, lambda: 8, prepare)
    encode_once(["a", "b", "c"], work, store_of(context), context)
    assert threads[0] == threading.current_thread().name
    assert all(name.startswith("harness-prepare") for name in threads[1:])


def test_an_error_while_the_next_chunk_is_prepared_keeps_what_was_run(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHUNK", 1)

    def prepare(texts: Sequence[str]) -> Sequence[str]:
        if texts[0] == "b":
            raise ModelError("cannot read b")
        return texts

    model = Model()
    work = EncodeTask[str, Floats]("encode", "texts", text_keys, lambda t: [1] * len(t), model.run, lambda: 8, prepare)
    with pytest.raises(ModelError, match="cannot read b"):
        encode_once(["a", "b"], work, store_of(context), context)
    assert len(store_of(context).read()) == 1
