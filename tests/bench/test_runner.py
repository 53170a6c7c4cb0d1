import json
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import ir_measures
import numpy as np
import pytest

from harness.base.errors import DatasetError, RecordError, SettingError, Unavailable
from harness.bench.runner import Bench, Result
from harness.bench.store import Store, StoredRecord
from harness.cache.folders import Cache
from harness.data.corpus import Corpus
from harness.data.dataset import Dataset, TrainView
from harness.data.queries import Queries
from harness.data.ranking import TopK
from harness.data.trec import read_run
from harness.datasets import load_dataset
from harness.indexes.binary import Binary
from harness.indexes.hnsw import HNSW
from harness.methods import Fitted, Method, Searcher, Size
from harness.methods.bm25 import BM25
from harness.methods.cross_encoder import CrossEncoder
from harness.methods.dense import Dense
from harness.methods.hybrid import Hybrid
from harness.methods.rerank import Rerank
from harness.methods.sparse import Sparse
from harness.models.encoder import Encoder
from harness.runtime.context import Context

MEASURES = ["nDCG@10", "R@100"]


@dataclass(frozen=True)
class Acting(Method):
    """Does as it is told: `act` is called when it is fitted."""

    word: str
    acts: ClassVar[dict[str, Callable[[], None]]] = {}

    @classmethod
    def name(cls) -> str:
        return "acting"

    def fit(self, view: TrainView, context: Context) -> Fitted:
        self.acts[self.word]()
        return _Fitted(self)


class _Fitted(Fitted):
    def __init__(self, method: Method) -> None:
        self.key, self.resolved, self.notes = method.full(), method.settings(), ("a note",)

    def index(self, corpus: Corpus, context: Context) -> Searcher:
        return _First(self.key, corpus)


class _First(Searcher):
    """Ranks the corpus by id."""

    size = Size(index_bytes=8)

    def __init__(self, key: str, corpus: Corpus) -> None:
        self.key, self.corpus = key, corpus

    def search(self, queries: Queries, k: int) -> TopK:
        rows = np.argsort(self.corpus.id_order)[:k]
        indices = np.full((len(queries), k), -1, np.int64)
        indices[:, : len(rows)] = rows
        scores = np.where(indices >= 0, np.float32(1.0), -np.inf).astype(np.float32)
        return TopK(indices, scores)


def act(word: str, what: Callable[[], None]) -> Acting:
    Acting.acts[word] = what
    return Acting(word)


def failing(error: BaseException) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


@pytest.fixture
def bench(tmp_path: Path, small_folder: Path) -> Callable[..., Bench]:
    """A bench over the made-up collection with a context of its own; whatever is named differs."""

    def one(*methods: Method, cache: str = "cache", seed: int = 0, **changed: object) -> Bench:
        settings = {"measures": MEASURES, "depth": 50, "datasets": [str(small_folder)], **changed}
        context = Context(seed=seed, cache=Cache(tmp_path / cache))
        return Bench(methods=methods, context=context, store=Store(tmp_path / "results"), **settings)  # type: ignore[arg-type]

    return one


def only(bench: Bench) -> Result:
    """Runs the one row of a bench."""
    return bench.run(bench.datasets[0], bench.methods[0])


# A row and its record


def test_a_record_holds_what_a_row_gave_and_was_made_with(bench: Callable[..., Bench], small: Dataset) -> None:
    made = bench(BM25())
    record = only(made).record
    assert (record.status, record.row, record.method) == ("ok", "bm25", BM25().full())
    assert record.dataset["name"] == small.name
    assert record.dataset["revision"] == small.revision
    assert (record.dataset["documents"], record.dataset["queries"], record.dataset["judgements"]) == (60, 20, 120)
    assert (record.seed, record.depth, record.supervision) == (0, 50, "none")
    assert list(record.measures) == MEASURES
    assert record.latency is not None
    assert record.latency["queries"] > 0
    assert record.size["index_bytes"] > 0
    assert record.resolved["k1"] == 0.9
    assert record.provenance["device"] == "cpu"
    assert made.store.load(made.store.place(small.name, BM25(), 0)) == record


def test_a_record_holds_what_only_the_corpus_and_the_queries_tell(
    bench: Callable[..., Bench], tiny_sparse: Path
) -> None:
    method = Sparse(str(tiny_sparse), query_terms=5)
    made = bench(method)
    record = only(made).record
    assert record.resolved["active_terms"]["query"] <= 5
    assert record.resolved["active_terms"]["document"] > 5
    assert record.resolved["query_terms"] == 5
    assert made.store.load(made.store.place(record.dataset["name"], method, 0)) == record


def test_its_figures_are_those_ir_measures_gives_for_its_run(bench: Callable[..., Bench], small: Dataset) -> None:
    made = bench(BM25())
    record = only(made).record
    place = made.store.place(small.name, BM25(), 0)
    run = read_run(place.run)
    qrels = {q: dict(grades) for q, grades in small.test.qrels.items()}
    expected = ir_measures.calc_aggregate([ir_measures.nDCG @ 10, ir_measures.R @ 100], qrels, run)
    assert record.measures == pytest.approx({str(m): v for m, v in expected.items()}, abs=1e-6)
    values = made.store.values(StoredRecord(record, place))
    assert set(values["nDCG@10"]) == set(qrels)
    assert record.measures["nDCG@10"] == pytest.approx(sum(values["nDCG@10"].values()) / 20, abs=1e-6)


def test_a_query_that_is_not_answered_counts_zero(bench: Callable[..., Bench], small: Dataset) -> None:
    made = bench(BM25())
    record = only(made).record
    values = made.store.values(StoredRecord(record, made.store.place(small.name, BM25(), 0)))["R@100"]
    assert {q for q, v in values.items() if v == 0.0} >= {q for q in values if q.startswith("asked")}
    assert record.measures["R@100"] <= 0.5


def test_a_record_and_its_phases_are_json(bench: Callable[..., Bench], tiny_encoder: Path) -> None:
    record = only(bench(Hybrid(methods=(BM25(), Dense(model=str(tiny_encoder)))))).record
    held = json.loads(record.to_json())
    assert held["phases"] == record.phases
    for phase in record.phases:
        assert set(phase) == {"kind", "label", "seconds", "cached_seconds", "peak_mb", "counts"}
        assert phase["peak_mb"] > 0


def test_the_seconds_of_a_row_are_those_of_its_phases_each_counted_once(
    bench: Callable[..., Bench], tiny_encoder: Path, tiny_cross_encoder: Path
) -> None:
    dense = Dense(model=str(tiny_encoder))
    scorer = CrossEncoder(model=str(tiny_cross_encoder), precision="fp32")  # the engine check loads a model twice
    rows = [BM25(), dense, Hybrid(methods=(BM25(), dense)), Rerank(BM25(), scorer)]
    made = bench(*rows)
    for method in rows:
        record = made.run(made.datasets[0], method).record
        assert record.status == "ok", record.problem
        phases = sum(p["seconds"] + p["cached_seconds"] for p in record.phases)
        assert sum(record.seconds.values()) == pytest.approx(phases, abs=0.001 * (len(record.phases) + 4))
        assert set(record.seconds) == {"model", "fit", "index", "search"}
        labels = [(p["kind"], p["label"]) for p in record.phases]
        assert len(labels) == len(set(labels))


def test_a_row_that_shares_steps_is_charged_for_them_as_if_it_were_alone(
    bench: Callable[..., Bench], tiny_encoder: Path
) -> None:
    dense = Dense(model=str(tiny_encoder))
    hybrid = Hybrid(methods=(BM25(), dense))
    made = bench(BM25(), dense, hybrid)
    bm25, encoder, both = (made.run(made.datasets[0], method).record for method in made.methods)
    assert both.seconds["index"] >= bm25.seconds["index"] + encoder.seconds["index"] - 0.003
    assert {p["label"] for p in both.phases} >= {p["label"] for p in bm25.phases} | {p["label"] for p in encoder.phases}


def test_what_was_taken_from_the_cache_is_charged_at_what_it_took_to_make(
    bench: Callable[..., Bench], tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import time

    run = Encoder.run

    def slow(self: Encoder, items: list, side: str) -> np.ndarray:
        time.sleep(0.5)
        return run(self, items, side)

    monkeypatch.setattr(Encoder, "run", slow)
    monkeypatch.setattr("harness.bench.latency.Timing.round", lambda self: None)  # it encodes queries without the cache
    first = only(bench(Dense(model=str(tiny_encoder)))).record
    again = only(bench(Dense(model=str(tiny_encoder)), rerun=True)).record
    one, other = (next(p for p in record.phases if p["kind"] == "index") for record in (first, again))
    assert one["seconds"] > 0.5
    assert one["cached_seconds"] == 0
    assert other["seconds"] < 0.5 < other["cached_seconds"] <= one["seconds"]
    assert again.seconds["index"] == pytest.approx(other["seconds"] + other["cached_seconds"], abs=0.002)


def test_throughput_is_what_was_done_by_the_seconds_it_took(bench: Callable[..., Bench], tiny_encoder: Path) -> None:
    record = only(bench(Dense(model=str(tiny_encoder)))).record
    spent = record.seconds
    if spent["fit"] + spent["index"] >= 0.001:
        assert record.throughput["documents_per_second"] == pytest.approx(
            60 / (spent["fit"] + spent["index"]), abs=0.01
        )
    if spent["search"] >= 0.001:
        assert record.throughput["queries_per_second"] == pytest.approx(20 / spent["search"], abs=0.01)


def test_a_row_on_a_collection_is_ranked_to_the_depth_asked_for(bench: Callable[..., Bench], small: Dataset) -> None:
    made = bench(act("quiet", lambda: None), depth=7)
    only(made)
    run = read_run(made.store.place(small.name, made.methods[0], 0).run)
    assert {len(ranking) for ranking in run.values()} == {7}


# Steps shared between rows


@pytest.mark.parametrize("collection", ["small_folder", "itself"])
def test_a_shared_step_is_done_once_for_all_rows(
    collection: str,
    bench: Callable[..., Bench],
    tiny_encoder: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from harness.methods import bm25 as module

    done: list[str] = []
    for cls, name in ((module.BM25, "fit"), (module._Fitted, "index"), (module._Searcher, "search")):
        original = getattr(cls, name)

        def counting(self, *arguments, _original=original, _name=name):
            if not (_name == "search" and len(arguments[0]) == 1):  # not those that are timed one by one
                done.append(_name)
            return _original(self, *arguments)

        monkeypatch.setattr(cls, name, counting)
    dense = Dense(model=str(tiny_encoder))
    rows = [Hybrid(methods=(BM25(), dense), depth=50), Rerank(BM25(), dense), BM25()]
    made = bench(*rows, datasets=[str(request.getfixturevalue(collection))])
    for method in made.methods:
        assert made.run(made.datasets[0], method).record.status == "ok"
    assert done == ["fit", "index", "search"]


def test_a_scorer_of_candidates_is_never_indexed(bench: Callable[..., Bench], tiny_encoder: Path) -> None:
    record = only(bench(Rerank(BM25(), Dense(model=str(tiny_encoder)), depth=5))).record
    kinds = {(p["kind"], p["label"].partition("(")[0]) for p in record.phases}
    assert ("fit", "fit dense") in kinds
    assert not {("index", "index dense"), ("search", "search dense")} & kinds
    assert record.size["dimensions"] == 32


def test_rows_give_the_same_figures_together_as_alone(bench: Callable[..., Bench], tiny_encoder: Path) -> None:
    dense = Dense(model=str(tiny_encoder))
    rows = [Rerank(BM25(), dense, depth=5), Hybrid(methods=(BM25(), dense), depth=9), BM25(), dense]
    made = bench(*rows)
    together = [made.run(made.datasets[0], method).record for method in rows]
    alone = [only(bench(method, cache=f"cache{i}", rerun=True)).record for i, method in enumerate(rows)]
    for one, other in zip(together, alone, strict=True):
        assert one.measures == other.measures
        assert one.run_sha256 == other.run_sha256


def test_datasets_follow_one_another_with_nothing_held_of_the_last(
    bench: Callable[..., Bench], small_folder: Path
) -> None:
    made = bench(BM25(), datasets=[str(small_folder), f"{small_folder}/train"])
    first = made.run(made.datasets[0], BM25()).record
    assert [key for key in made.context.ledger.steps if key.startswith("load:")] == [f"load:folder/{made.datasets[0]}"]
    second = made.run(made.datasets[1], BM25()).record
    assert [key for key in made.context.ledger.steps if key.startswith("load:")] == [f"load:folder/{made.datasets[1]}"]
    assert sum(step.kind == "search" for step in made.context.ledger.steps.values()) == 1
    assert (first.dataset["queries"], second.dataset["queries"]) == (20, 30)
    assert first.dataset["name"].endswith("/test")
    assert second.dataset["name"].endswith("/train")


# What goes wrong


def test_a_row_that_raises_leaves_an_error_record_with_its_trace_and_the_others_go_on(
    bench: Callable[..., Bench],
) -> None:
    made = bench(act("boom", failing(ZeroDivisionError("by nothing"))), BM25())
    broken, whole = (made.run(made.datasets[0], method).record for method in made.methods)
    assert (broken.status, whole.status) == ("error", "ok")
    assert broken.problem is not None
    assert broken.problem["reason"] == "ZeroDivisionError: by nothing"
    assert re.fullmatch(r"\(raised in \w+\.py, line \d+; the record has the traceback\)", broken.problem["remedy"])
    assert "in fail" in broken.problem["trace"]
    assert (broken.measures, broken.phases, broken.identity) == ({}, [], "")
    assert [r.status for r in made.store.all()[0]] == ["error", "ok"]


def test_an_error_a_user_can_mend_is_told_in_its_own_words(bench: Callable[..., Bench]) -> None:
    record = only(bench(act("bad", failing(SettingError("k must be odd"))))).record
    assert record.problem is not None
    assert (record.status, record.problem["reason"]) == ("error", "k must be odd")


def test_what_is_absent_leaves_a_skipped_record_with_reason_and_remedy(
    bench: Callable[..., Bench], small: Dataset
) -> None:
    made = bench(act("absent", failing(Unavailable("needs a licence.", "Buy one."))))
    result = only(made)
    assert result.kept is False
    assert (result.record.status, result.record.problem) == (
        "skipped",
        {"reason": "needs a licence.", "remedy": "Buy one."},
    )
    assert made.store.load(made.store.place(small.name, made.methods[0], 0)) == result.record


def test_an_ok_record_survives_a_later_skip_with_its_run(bench: Callable[..., Bench], small: Dataset) -> None:
    made = bench(act("now and then", lambda: None))
    place = made.store.place(small.name, made.methods[0], 0)
    before = only(made).record
    files = {f.name: f.read_bytes() for f in place.record.parent.iterdir()}
    act("now and then", failing(Unavailable("gone.", "Bring it back.")))
    result = only(bench(*made.methods, rerun=True))
    assert (result.record.status, result.kept) == ("skipped", True)
    assert made.store.load(place) == before
    assert {f.name: f.read_bytes() for f in place.record.parent.iterdir()} == files


def test_a_skipped_record_is_replaced_once_what_was_absent_is_there(bench: Callable[..., Bench]) -> None:
    method = act("later", failing(Unavailable("not yet.", "Wait.")))
    assert only(bench(method)).record.status == "skipped"
    act("later", lambda: None)
    assert only(bench(method)).record.status == "ok"


def test_an_error_replaces_an_ok_record_and_takes_its_run_away(bench: Callable[..., Bench], small: Dataset) -> None:
    method = act("breaks", lambda: None)
    made = bench(method)
    only(made)
    act("breaks", failing(ValueError("now it does")))
    assert only(bench(method, rerun=True)).record.status == "error"
    place = made.store.place(small.name, method, 0)
    assert not place.run.exists()
    assert not place.queries.exists()


def test_an_interruption_passes_through_and_leaves_no_record(bench: Callable[..., Bench]) -> None:
    made = bench(act("stop", failing(KeyboardInterrupt())))
    with pytest.raises(KeyboardInterrupt):
        only(made)
    assert made.store.all() == ([], [])


def test_a_dataset_that_cannot_be_had_is_the_callers_error_and_no_rows(
    bench: Callable[..., Bench], tmp_path: Path
) -> None:
    made = bench(BM25(), datasets=[str(tmp_path / "nowhere")])
    with pytest.raises(DatasetError, match="there is no folder"):
        only(made)
    assert made.store.all() == ([], [])


def test_a_results_folder_that_cannot_be_written_is_told_before_any_work(tmp_path: Path, context: Context) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RecordError, match="cannot be written"):
        Bench([BM25()], [str(tmp_path / "nowhere")], context, Store(tmp_path / "file"), MEASURES)
    assert context.ledger.steps == {}


@pytest.mark.parametrize(
    ("changed", "told"), [({"measures": ["nDGC@10"]}, "nDGC@10"), ({"depth": 0}, "depth must be 1 or more")]
)
def test_a_setting_that_cannot_be_is_told_before_any_work(
    changed: dict[str, object], told: str, bench: Callable[..., Bench]
) -> None:
    with pytest.raises(SettingError, match=told):
        bench(BM25(), **changed)


# What is kept and what is run again


def test_the_same_identity_is_kept_and_nothing_is_done(bench: Callable[..., Bench], small: Dataset) -> None:
    first = only(bench(BM25()))
    made = bench(BM25())
    place = made.store.place(small.name, BM25(), 0)
    before = place.record.stat().st_mtime_ns
    again = only(made)
    assert (first.kept, again.kept) == (False, True)
    assert again.record == first.record
    assert place.record.stat().st_mtime_ns == before
    assert not {step.kind for step in made.context.ledger.steps.values()} & {"fit", "index", "search"}


@pytest.mark.parametrize(
    "changed",
    [{"depth": 51}, {"depth": 49}, {"measures": ["nDCG@10"]}, {"measures": [*MEASURES, "P@5"]}, {"rerun": True}],
    ids=str,
)
def test_another_depth_or_measure_is_run_again(changed: dict[str, object], bench: Callable[..., Bench]) -> None:
    first = only(bench(BM25()))
    again = only(bench(BM25(), **changed))
    assert again.kept is False
    assert (again.record.identity == first.record.identity) is ("rerun" in changed)


def test_the_order_of_measures_is_no_reason_to_run_again(bench: Callable[..., Bench]) -> None:
    only(bench(BM25()))
    assert only(bench(BM25(), measures=MEASURES[::-1])).kept is True


def test_another_seed_has_a_record_of_its_own(bench: Callable[..., Bench]) -> None:
    made = [bench(BM25(), seed=seed) for seed in (0, 1)]
    records = [only(one).record for one in made]
    assert records[0].identity != records[1].identity
    assert [r.seed for r in made[0].store.all()[0]] == [0, 1]


def test_other_settings_have_a_record_of_their_own(bench: Callable[..., Bench]) -> None:
    made = bench(BM25(), BM25(k1=1.2))
    assert [made.run(made.datasets[0], method).kept for method in made.methods] == [False, False]
    assert sorted(r.row for r in made.store.all()[0]) == ["bm25", "bm25(k1=1.2)"]


@pytest.mark.parametrize("name", ["corpus.jsonl", "queries.jsonl", "qrels/test.tsv", "qrels/train.tsv"])
def test_a_changed_collection_is_run_again(name: str, bench: Callable[..., Bench], small_folder: Path) -> None:
    before = only(bench(BM25())).record
    path = small_folder / name
    lines = path.read_text().splitlines()
    if name.endswith(".tsv"):
        query, document, _ = lines[1].split("\t")
        lines[1] = f"{query}\t{document}\t3"
    else:
        last = json.loads(lines[-2])
        lines[-2] = json.dumps({**last, "text": last["text"] + " more"})
    path.write_text("\n".join(lines) + "\n")
    again = only(bench(BM25()))
    assert again.kept is False
    assert again.record.identity != before.identity
    assert (again.record.dataset["revision"] == before.dataset["revision"]) is (name == "qrels/train.tsv")


def test_a_changed_model_is_run_again_under_the_same_name(
    bench: Callable[..., Bench], tiny_encoder: Path, tmp_path: Path
) -> None:
    import shutil

    model = Path(shutil.copytree(tiny_encoder, tmp_path / "model"))
    method = Dense(model=str(model))
    before = only(bench(method))
    assert only(bench(method)).kept is True
    raw = bytearray((model / "model.safetensors").read_bytes())
    raw[-2:] = b"\x00\x00"
    (model / "model.safetensors").write_bytes(raw)
    again = only(bench(method))
    assert again.kept is False
    assert again.record.resolved["sha"] != before.record.resolved["sha"]


def test_changed_code_or_packages_are_run_again(bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch) -> None:
    only(bench(BM25()))
    monkeypatch.setattr(
        "harness.bench.identity.modules_of_row", lambda method, measures: {"harness.data.ranking": "other"}
    )
    assert only(bench(BM25())).kept is False
    assert only(bench(BM25())).kept is True
    monkeypatch.setattr("harness.bench.identity.packages", lambda: {"numpy": "0.1"})
    assert only(bench(BM25())).kept is False


@pytest.mark.parametrize("lost", ["record", "run", "queries"])
def test_a_missing_file_is_a_reason_to_run_again(lost: str, bench: Callable[..., Bench], small: Dataset) -> None:
    made = bench(BM25())
    first = only(made).record
    path = getattr(made.store.place(small.name, BM25(), 0), lost)
    held = path.read_bytes()
    path.unlink()
    again = only(bench(BM25()))
    assert again.kept is False
    assert again.record.run_sha256 == first.run_sha256
    assert path.exists()
    if lost != "record":
        assert path.read_bytes() == held


def test_a_broken_record_is_a_reason_to_run_again(bench: Callable[..., Bench], small: Dataset) -> None:
    made = bench(BM25())
    only(made)
    made.store.place(small.name, BM25(), 0).record.write_text("{")
    assert only(bench(BM25())).kept is False
    assert len(made.store.all()[0]) == 1


@pytest.mark.parametrize("status", ["skipped", "error"])
def test_a_row_without_figures_is_always_tried_again(status: str, bench: Callable[..., Bench]) -> None:
    tried: list[int] = []

    def fail() -> None:
        tried.append(1)
        raise Unavailable("a", "b") if status == "skipped" else ValueError("a")

    times = set()
    for _ in range(2):
        made = bench(act("again", fail))
        assert only(made).kept is False
        times.add(made.store.stored()[0][0].place.record.stat().st_mtime_ns)
    assert len(tried) == 2
    assert len(times) == 1  # unchanged but for its date, it is not written again


# Queries that are documents


@pytest.fixture
def itself(tmp_path: Path) -> Path:
    """A collection in which every query is a document of the corpus, word for word."""
    folder = tmp_path / "itself"
    (folder / "qrels").mkdir(parents=True)
    words = ["wing", "drag", "flow", "heat", "shock", "plate"]
    texts = {f"d{i:02}": f"{words[i % 6]} {words[(i * i) % 6]} {words[(i // 6) % 6]} common" for i in range(36)}
    rows = [json.dumps({"_id": i, "title": "", "text": t}) for i, t in texts.items()]
    (folder / "corpus.jsonl").write_text("\n".join(rows) + "\n")
    asked = list(texts)[::3]
    (folder / "queries.jsonl").write_text("\n".join(json.dumps({"_id": i, "text": texts[i]}) for i in asked) + "\n")
    lines = [f"{q}\td{(int(q[1:]) + 6) % 36:02}\t1" for q in asked]
    (folder / "qrels" / "test.tsv").write_text("\n".join(["query-id\tcorpus-id\tscore", *lines]) + "\n")
    return folder


@pytest.mark.parametrize("kind", ["bm25", "dense", "hybrid", "cross_encoder"])
@pytest.mark.parametrize("depth", [1, 5, 35, 50])
def test_a_query_that_is_a_document_is_not_in_its_own_ranking_which_is_as_deep_as_any(
    kind: str, depth: int, bench: Callable[..., Bench], itself: Path, tiny_encoder: Path, tiny_cross_encoder: Path
) -> None:
    dense = Dense(model=str(tiny_encoder))
    methods = {
        "bm25": BM25(),
        "dense": dense,
        "hybrid": Hybrid(methods=(BM25(), dense)),
        "cross_encoder": CrossEncoder(model=str(tiny_cross_encoder)),
    }
    made = bench(methods[kind], datasets=[str(itself)], depth=depth)
    record = only(made).record
    assert record.status == "ok", record.problem
    assert record.dataset["notes"] == ["12 queries are also documents: each is left out of its own ranking"]
    run = read_run(made.store.place(record.dataset["name"], methods[kind], 0).run)
    assert len(run) == 12
    for query, ranking in run.items():
        assert query not in ranking
        assert len(ranking) == min(depth, 35)


def test_a_query_that_merely_has_a_documents_id_keeps_it(bench: Callable[..., Bench], itself: Path) -> None:
    text = (itself / "queries.jsonl").read_text().replace("common", "common words")
    (itself / "queries.jsonl").write_text(text)
    made = bench(BM25(), datasets=[str(itself)], depth=36)
    record = only(made).record
    note = "12 query ids are also document ids with another text: these documents stay in the rankings"
    assert record.dataset["notes"] == [note]
    run = read_run(made.store.place(record.dataset["name"], BM25(), 0).run)
    assert all(query in ranking for query, ranking in run.items())


def test_a_run_that_was_written_is_a_row_with_the_same_figures(bench: Callable[..., Bench], itself: Path) -> None:
    from harness.methods.run import RunFile

    made = bench(BM25(), datasets=[str(itself)], depth=10)
    first = only(made).record
    path = made.store.place(first.dataset["name"], BM25(), 0).run
    again = only(bench(RunFile(str(path)), datasets=[str(itself)], depth=10)).record
    assert again.measures == first.measures
    assert (again.supervision, again.latency) == ("unknown", None)


def test_a_measure_that_looks_deeper_than_the_run_is_noted(bench: Callable[..., Bench]) -> None:
    shallow = only(bench(BM25(), measures=["nDCG@10", "R@100", "RR"], depth=20)).record
    unanswered = "10 of 20 queries are unanswered: they count 0"
    assert shallow.notes == ["R@100: the run is only 20 deep", unanswered]
    done = only(bench(BM25(), measures=["nDCG@10", "R@100"], depth=100))
    assert done.record.notes == [unanswered]
    rankings = read_run(bench(BM25()).store.place(done.record.dataset["name"], BM25(), 0).run)
    assert len(rankings) == 10  # the run file says so too


def test_a_record_says_what_the_loader_and_the_method_want_said(
    bench: Callable[..., Bench], small_folder: Path, tiny_encoder: Path
) -> None:
    from harness.fusions.convex import Convex

    (small_folder / "qrels" / "train.tsv").unlink()
    qrels = small_folder / "qrels" / "test.tsv"
    qrels.write_text(qrels.read_text() + "name0\tnowhere\t1\n")
    record = only(bench(Hybrid(methods=(BM25(), Dense(model=str(tiny_encoder))), fusion=Convex()))).record
    assert record.status == "ok", record.problem
    told = [note for note in record.notes if not note.endswith(" deep")]
    assert len(told) == 1
    assert "no train or dev queries to choose on" in told[0]
    assert record.dataset["unreachable"] == 1


def test_a_model_that_is_not_to_be_had_is_skipped_by_name(bench: Callable[..., Bench]) -> None:
    record = only(bench(Dense(model="nobody/nothing"))).record
    assert record.status == "skipped"
    assert record.problem is not None
    assert "nobody/nothing" in record.problem["reason"]
    assert "hf download nobody/nothing" in record.problem["remedy"]


def test_the_dataset_is_loaded_once_for_all_rows(bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch) -> None:
    made = bench(BM25(), BM25(k1=2.0))
    loaded = [load_dataset(made.datasets[0], made.context)]
    for method in made.methods:
        made.run(made.datasets[0], method)
    assert made.load(made.datasets[0]) is loaded[0]


def test_the_record_of_a_row_with_an_approximate_index_tells_its_recall(
    bench: Callable[..., Bench], tiny_encoder: Path
) -> None:
    exact, near = Dense(model=str(tiny_encoder)), Dense(model=str(tiny_encoder), index=Binary())
    running = bench(exact, near)
    notes = [running.run(running.datasets[0], method).record.notes for method in (exact, near)]
    assert not any("approximate" in note for note in notes[0])
    assert sum(note.startswith("binary is approximate: it finds ") for note in notes[1]) == 1


def test_a_row_whose_indexs_library_is_absent_is_skipped_by_name(
    bench: Callable[..., Bench], tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "faiss", None)
    method = Dense(model=str(tiny_encoder), index=HNSW())
    running = bench(method)
    record = running.run(running.datasets[0], method).record
    assert record.status == "skipped"
    assert record.problem == {
        "reason": "faiss is not installed.",
        "remedy": '`pip install "retrieval-harness[faiss]"` installs it.',
    }
