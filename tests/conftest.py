"""What all tests share: a context whose cache is the test's own folder, and no way to the network or the user's
data.
"""

from __future__ import annotations

import contextlib
import gc
import io
import json
import os
import random
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import hypothesis

# Read when the libraries are imported, so set before any of them is: no way to the hub, one thread, the same bits every
# time.
os.environ.update(
    HF_HUB_OFFLINE="1", OMP_NUM_THREADS="1", TOKENIZERS_PARALLELISM="false", HF_HUB_DISABLE_PROGRESS_BARS="1"
)

import pytest

from harness.bench.record import Record
from harness.bench.store import Place, Store, StoredRecord
from harness.cache.folders import Cache
from harness.choices.plugins import VARIABLE
from harness.choices.value import PLUGIN
from harness.compare.evidence import Scores, scores
from harness.data.dataset import Dataset
from harness.datasets import load_dataset
from harness.runtime.context import Context
from tests.skips import pytest_addoption, pytest_configure  # noqa: F401 - hooks that pytest finds here

hypothesis.settings.register_profile("harness", deadline=None)  # a busy machine is no fault
hypothesis.settings.load_profile("harness")
for name in (
    "FORCE_COLOR",
    "PY_COLORS",
    "NO_COLOR",
    "GITHUB_ACTIONS",
    "COLUMNS",
):  # what is printed is the same everywhere
    os.environ.pop(name, None)


def pytest_collection_finish(session: pytest.Session) -> None:
    set_aside()


def set_aside() -> None:
    """Takes what is in memory out of later collections of garbage: libraries are millions of objects, a test has
    few.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def quick_collections() -> None:
    """The trainer collects garbage at every start; unless the libraries are set aside, that takes longer than these
    trainings.
    """
    import datasets  # noqa: F401
    from sentence_transformers.cross_encoder import CrossEncoderTrainer  # noqa: F401
    from sentence_transformers.sentence_transformer import SentenceTransformerTrainer  # noqa: F401

    set_aside()


@pytest.fixture(autouse=True)
def _own_world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("HARNESS_DATA", "HARNESS_BEIR_URL", "HARNESS_OFFLINE", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(
        os, "fsync", lambda file: None
    )  # no file here must outlive a power cut, and some disks take long


@pytest.fixture(autouse=True)
def _no_plugins(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a test imports of its own files is forgotten after it, and so is what it puts into `HARNESS_PLUGINS`."""
    path = list(sys.path)
    monkeypatch.setattr("harness.choices.plugins._loaded", {})
    monkeypatch.setenv(VARIABLE, "")
    yield
    sys.path[:] = path
    for name in [name for name in sys.modules if name.startswith(PLUGIN)]:
        del sys.modules[name]


@pytest.fixture(autouse=True)
def _one_look_at_latency(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounds ask each query once and are not repeated on a busy machine, which one with several workers always is."""
    monkeypatch.setattr("harness.bench.latency.LEAST", 0.0)
    monkeypatch.setattr("harness.bench.latency.MORE", 0)


@pytest.fixture(scope="module")
def reference_engine() -> Iterator[None]:
    """A precision of `auto` is that of the reference for the tests of a file that are about something else: the engine
    check, which has tests of its own, compiles every model.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("harness.models.engine_settings.AUTO", ())
        yield


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return Context(cache=Cache(tmp_path / "cache"))


@pytest.fixture(scope="session")
def worker_path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder whose modules this process and all workers can import."""
    folder, before = tmp_path_factory.mktemp("modules"), os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(folder), before)))
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))
    if before is None:
        del os.environ["PYTHONPATH"]
    else:
        os.environ["PYTHONPATH"] = before


@pytest.fixture(scope="session")
def ray_here(worker_path: Path) -> Iterator[None]:
    """Ray on this machine for all tests that ask: it takes seconds to start."""
    ray = pytest.importorskip("ray", reason="ray is not installed")
    from harness.executors.ray import Ray

    Ray(workers=2)._open(ray)
    yield
    ray.shutdown()


@dataclass(frozen=True)
class Language:
    """A made-up collection that can be learnt: people ask in other words than documents use, one for one by topic.

    Args:
        documents: 60 of 10 topics: id, title, text.
        queries: id → text; half of the test queries share no word with any document.
        qrels: `train` and `test`.
    """

    documents: list[tuple[str, str, str]]
    queries: dict[str, str]
    qrels: dict[str, dict[str, dict[str, int]]]


def _language() -> Language:
    rng = random.Random(7)
    syllables = [c + v for c in "bdfgklmnprstvz" for v in "aeiou"]
    words = iter(rng.sample([a + b for a in syllables for b in syllables], 400))
    documents, queries, qrels = [], {}, {"train": {}, "test": {}}
    for topic in range(10):
        said, asked = [next(words) for _ in range(5)], [next(words) for _ in range(3)]
        names = [next(words) for _ in range(6)]
        ids = [f"d{topic}{i}" for i in range(6)]
        for i, (own, name) in enumerate(zip(ids, names, strict=True)):
            documents.append(
                (own, f"{name} {said[0]}" if i % 2 else "", " ".join([name, *rng.choices(said, k=6), own]))
            )
        for i in range(3):
            queries[f"train{topic}{i}"] = " ".join([*rng.sample(asked, 2), rng.choice(said)])
            qrels["train"][f"train{topic}{i}"] = dict.fromkeys(ids, 1)
        queries[f"name{topic}"] = f"{names[0]} {said[1]}"
        qrels["test"][f"name{topic}"] = {**dict.fromkeys(ids, 1), ids[0]: 2}
        queries[f"asked{topic}"] = " ".join(asked)
        qrels["test"][f"asked{topic}"] = dict.fromkeys(ids, 1)
    return Language(documents, queries, qrels)


LANGUAGE = _language()


@pytest.fixture(scope="session")
def language() -> Language:
    return LANGUAGE


@pytest.fixture
def small_folder(tmp_path: Path) -> Path:
    """The made-up collection as a BEIR folder; nothing in it is shared, so a test may change it."""
    folder = tmp_path / "small"
    (folder / "qrels").mkdir(parents=True)
    rows = [json.dumps({"_id": i, "title": t, "text": x}) for i, t, x in LANGUAGE.documents]
    (folder / "corpus.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    rows = [json.dumps({"_id": i, "text": x}) for i, x in LANGUAGE.queries.items()]
    (folder / "queries.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    for split, judged in LANGUAGE.qrels.items():
        lines = [
            "query-id\tcorpus-id\tscore",
            *(f"{q}\t{d}\t{g}" for q, grades in judged.items() for d, g in grades.items()),
        ]
        (folder / "qrels" / f"{split}.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


@pytest.fixture
def small(small_folder: Path, context: Context) -> Dataset:
    """The made-up collection, loaded."""
    return load_dataset(str(small_folder), context)


@pytest.fixture(scope="session")
def tiny_models(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Folders of a random 2-layer BERT as encoder (mean pooling) and as cross-encoder; every text has tokens, few are
    [UNK].
    """
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from tokenizers import Tokenizer, normalizers, pre_tokenizers, processors
    from tokenizers.models import WordPiece
    from transformers import BertConfig, BertForSequenceClassification, BertModel, PreTrainedTokenizerFast

    set_aside()
    root = tmp_path_factory.mktemp("models")
    characters = "abcdefghijklmnopqrstuvwxyz0123456789.,:?!-'"
    words = sorted({word for _, title, text in LANGUAGE.documents for word in f"{title} {text}".split()})
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    vocabulary = {token: i for i, token in enumerate([*special, *characters, *(f"##{c}" for c in characters), *words])}
    tokens = Tokenizer(WordPiece(vocabulary, unk_token="[UNK]"))
    tokens.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokens.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokens.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    names = {
        "pad_token": "[PAD]",
        "unk_token": "[UNK]",
        "cls_token": "[CLS]",
        "sep_token": "[SEP]",
        "mask_token": "[MASK]",
    }
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=tokens, model_max_length=64, **names)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
        initializer_range=0.3,
    )
    BertModel(config).save_pretrained(root / "bert")
    tokenizer.save_pretrained(root / "bert")
    modules = [Transformer(str(root / "bert")), Pooling(32, "mean")]
    SentenceTransformer(modules=modules, device="cpu").save(str(root / "tiny-encoder"))
    config.num_labels = 1
    BertForSequenceClassification(config).save_pretrained(root / "tiny-cross-encoder")
    tokenizer.save_pretrained(root / "tiny-cross-encoder")
    return root / "tiny-encoder", root / "tiny-cross-encoder"


@pytest.fixture(scope="session")
def tiny_ragged(tiny_models: tuple[Path, Path]) -> tuple[Path, Path]:
    """Folders of the random BERT as a sparse encoder (about half of the terms are active) and as a late-interaction
    encoder.
    """
    import torch
    from sentence_transformers import MultiVectorEncoder, SparseEncoder
    from sentence_transformers.base.modules import Dense, Normalize, Transformer
    from sentence_transformers.multi_vector_encoder.modules import MultiVectorMask
    from sentence_transformers.sparse_encoder.modules import SpladePooling
    from transformers import BertConfig, BertForMaskedLM, PreTrainedTokenizerFast

    root = tiny_models[0].parent
    torch.manual_seed(0)
    language = BertForMaskedLM(BertConfig.from_pretrained(root / "bert"))
    with torch.no_grad():
        language.get_output_embeddings().bias.fill_(-4.0)
    language.save_pretrained(root / "masked")
    PreTrainedTokenizerFast.from_pretrained(root / "bert").save_pretrained(root / "masked")
    transformer = Transformer(str(root / "masked"), transformer_task="fill-mask")
    SparseEncoder(modules=[transformer, SpladePooling("max")], device="cpu").save_pretrained(str(root / "tiny-sparse"))
    tokens = Transformer(str(root / "bert"), query_expansion={"strategy": "fixed", "attend": False, "length": 12})
    narrow = Dense(32, 16, bias=False, activation_function=torch.nn.Identity(), module_input_name="token_embeddings")
    modules = [
        tokens,
        narrow,
        MultiVectorMask(skiplist_words=[",", "."]),
        Normalize(module_input_name="token_embeddings"),
    ]
    prompts = {"query": "?", "document": "!"}
    MultiVectorEncoder(modules=modules, device="cpu", prompts=prompts).save_pretrained(str(root / "tiny-late"))
    return root / "tiny-sparse", root / "tiny-late"


@pytest.fixture
def tiny_sparse(tiny_ragged: tuple[Path, Path]) -> Path:
    return tiny_ragged[0]


@pytest.fixture
def tiny_late(tiny_ragged: tuple[Path, Path]) -> Path:
    return tiny_ragged[1]


@pytest.fixture
def tiny_encoder(tiny_models: tuple[Path, Path]) -> Path:
    return tiny_models[0]


@pytest.fixture
def tiny_cross_encoder(tiny_models: tuple[Path, Path]) -> Path:
    return tiny_models[1]


@dataclass(frozen=True)
class Said:
    """What a command said, and its exit status."""

    status: int
    out: str
    err: str


@pytest.fixture
def harness_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Said]:
    """Runs `harness <arguments>` in this process, in the test's own folder."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> Said:
        from harness.cli.app import main

        out, err, status = io.StringIO(), io.StringIO(), 0
        monkeypatch.setattr(sys, "argv", ["harness", *map(str, arguments)])
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                main()
            except SystemExit as end:
                status = int(end.code or 0)
        return Said(status, out.getvalue(), err.getvalue())

    return run


@pytest.fixture
def python(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs Python code in a process of its own, in the test's own folder; arguments are its `sys.argv[1:]`."""

    def run(code: str, *arguments: object, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", code, *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=timeout, check=False)

    return run


RECORDED = Path(__file__).parent / "bench" / "schema1"


@pytest.fixture
def results(tmp_path: Path) -> Store:
    return Store(tmp_path / "results")


@pytest.fixture
def put(results: Store) -> Callable[..., StoredRecord]:
    """`put("bm25", {"q1": 0.5}, seed=1)` writes a record and its values of nDCG@10."""

    def one(
        row: str, values: Mapping[str, float], seed: int = 0, dataset: str = "beir/example/test", **changed: Any
    ) -> StoredRecord:
        held = json.loads((RECORDED / "bm25.json").read_text(encoding="utf-8"))
        revision = changed.pop("revision", held["dataset"]["revision"])
        held["dataset"] = {**held["dataset"], "name": dataset, "revision": revision, "queries": len(values)}
        mean = sum(values.values()) / max(1, len(values))
        held.update({"row": row, "method": row, "seed": seed, "measures": {"nDCG@10": mean}, **changed})
        place = Place(results.root / dataset.replace("/", "-") / row.replace("/", "-") / f"seed{seed}.json")
        record = Record(**held)
        results.save(place, record, {"nDCG@10": dict(values)})
        return StoredRecord(record, place)

    return one


@pytest.fixture
def scored(results: Store, put: Callable[..., StoredRecord]) -> Callable[..., Scores]:
    """`scored("dense", {"q1": 0.5}, {"q1": 0.6})`: a row with a seed for each mapping; values may be no nDCG, as
    -0.1.
    """

    def one(row: str, *seeds: Mapping[str, float], **changed: Any) -> Scores:
        held = [put(row, values, seed, **changed) for seed, values in enumerate(seeds)]
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr("harness.bench.values.contradiction", lambda *_: "")
            return scores(held, results, "nDCG@10")

    return one


@pytest.fixture(scope="session")
def tiny_generative(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a random 2-layer Qwen3 that writes characters, with the words yes and no and the marks of its chat."""
    import torch
    from tokenizers import Tokenizer, decoders, pre_tokenizers
    from tokenizers.models import BPE
    from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

    characters = sorted(pre_tokenizers.ByteLevel.alphabet())
    merges = [("y", "e"), ("ye", "s"), ("n", "o")]
    pieces = [*characters, *(a + b for a, b in merges)]
    tokens = Tokenizer(BPE({piece: i for i, piece in enumerate(pieces)}, merges))
    tokens.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokens.decoder = decoders.ByteLevel()
    tokens.add_special_tokens(["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<think>", "</think>"])
    folder = tmp_path_factory.mktemp("generative")
    PreTrainedTokenizerFast(tokenizer_object=tokens, pad_token="<|endoftext|>").save_pretrained(str(folder))
    with torch.random.fork_rng():
        torch.manual_seed(5)
        config = Qwen3Config(
            vocab_size=tokens.get_vocab_size(),
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            head_dim=8,
            initializer_range=0.5,
            max_position_embeddings=2048,
        )
        Qwen3ForCausalLM(config).save_pretrained(str(folder))
    return folder


# Servers on this machine

Reply = tuple[int, dict[str, str], bytes]


def completion(content: str | None, tokens: tuple[int, int] = (10, 5)) -> Reply:
    told = {
        "choices": [{"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": tokens[0], "completion_tokens": tokens[1]},
    }
    return 200, {"Content-Type": "application/json"}, json.dumps(told).encode()


def usual(n: int, body: dict[str, Any]) -> Reply:
    """Three questions that hang on the prompt and the seed."""
    mark = f"{sum(map(ord, body['messages'][0]['content'])) % 9973} {body['seed']}"
    return completion("\n".join(f"{i}. what is {mark}{i}?" for i in range(1, 4)))


class EndpointServer:
    """A hosted model: answers as `reply` says, and remembers what it was asked.

    Args:
        reply: (number of the request from 0, its body) → status, headers, bytes.
    """

    def __init__(self) -> None:
        self.reply: Callable[[int, dict[str, Any]], Reply] = usual
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        guard, outer = threading.Lock(), self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with guard:
                    n = len(outer.bodies)
                    outer.bodies.append(body)
                    outer.headers.append(dict(self.headers))
                    outer.paths.append(self.path)
                status, headers, raw = outer.reply(n, body)
                try:
                    self.send_response(status)
                    for name, value in headers.items():
                        self.send_header(name, value)
                    if "Content-Length" not in headers:
                        self.send_header("Content-Length", str(len(raw)))
                    self.end_headers()
                    self.wfile.write(raw)
                except OSError:
                    pass  # the client waits no longer

            def log_message(self, *given: Any) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self._http.block_on_close = False
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}/v1"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[EndpointServer]:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setattr("harness.endpoints.retries.FIRST_WAIT", 0.01)
    running = EndpointServer()
    yield running
    running.close()


Embed = Callable[[list[str]], "list[list[float]]"]


@pytest.fixture(scope="session")
def tiny_vectors(tiny_models: tuple[Path, Path]) -> Embed:
    """Texts → normalised vectors of the tiny encoder, one text at a time and once."""
    from sentence_transformers import SentenceTransformer

    model, guard = SentenceTransformer(str(tiny_models[0]), device="cpu"), threading.Lock()
    known: dict[str, list[float]] = {}

    def embed(texts: list[str]) -> list[list[float]]:
        with guard:
            for text in texts:
                if text not in known:
                    known[text] = model.encode([text], normalize_embeddings=True)[0].tolist()
            return [known[text] for text in texts]

    return embed


def openai_reply(body: dict[str, Any], vectors: list[list[float]], tokens: int | None = None) -> Reply:
    """As `POST /embeddings` answers; in base64 where that is asked for."""
    import base64

    import numpy as np

    def written(vector: list[float]) -> Any:
        packed = base64.b64encode(np.asarray(vector, dtype="<f4").tobytes()).decode()
        return packed if body.get("encoding_format") == "base64" else vector

    data = [{"object": "embedding", "index": i, "embedding": written(v)} for i, v in enumerate(vectors)]
    used = sum(len(text.split()) for text in body["input"]) if tokens is None else tokens
    told = {
        "object": "list",
        "data": data,
        "model": body["model"],
        "usage": {"prompt_tokens": used, "total_tokens": used},
    }
    return 200, {"Content-Type": "application/json"}, json.dumps(told).encode()


def cohere_reply(body: dict[str, Any], vectors: list[list[float]]) -> Reply:
    """As `POST /v2/embed` answers."""
    used = sum(len(text.split()) for text in body["texts"])
    told = {
        "id": "x",
        "embeddings": {"float": vectors},
        "texts": body["texts"],
        "meta": {"billed_units": {"input_tokens": used}},
    }
    return 200, {"Content-Type": "application/json"}, json.dumps(told).encode()


@pytest.fixture
def hosted(server: EndpointServer, tiny_vectors: Embed, monkeypatch: pytest.MonkeyPatch) -> EndpointServer:
    """The tiny encoder behind OpenAI's and Cohere's protocols; waiting takes no time, and is written down in
    `waits`.
    """
    waits: list[float] = []
    monkeypatch.setattr(
        "harness.endpoints.retries.pause", lambda stopped, seconds: waits.append(seconds) or stopped.is_set()
    )
    for name in ("ENDPOINT_API_KEY", "CO_API_KEY", "CO_API_URL", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)

    def reply(n: int, body: dict[str, Any]) -> Reply:
        if "texts" in body:
            return cohere_reply(body, tiny_vectors(body["texts"]))
        return openai_reply(body, tiny_vectors(body["input"]))

    server.reply = reply
    server.waits = waits  # type: ignore[attr-defined]
    return server


def judged(body: dict[str, Any]) -> str:
    """What a judge says that counts common words: an order in RankGPT's form, a number on a scale, or yes or no."""
    messages = body["messages"]
    if messages[0]["role"] == "system":
        wanted = messages[-1]["content"].removeprefix("Search Query: ").partition(". \n")[0].split()
        passages = [m["content"].partition("] ")[2] for m in messages[3:-1] if m["role"] == "user"]
        common = [len({*wanted} & {*text.split()}) for text in passages]
        order = sorted(range(len(passages)), key=lambda i: (-common[i], i))
        return " > ".join(f"[{i + 1}]" for i in order)
    asked, _, rest = messages[0]["content"].partition("\n\nQuery: ")
    query, _, passage = rest.removesuffix("\nAnswer:").partition("\nPassage: ")
    common_words = len({*query.split()} & {*passage.split()})
    scale = asked.partition("scale of 0 to ")[2].partition(",")[0]
    return str(min(int(scale), common_words)) if scale else "Yes" if common_words else "No"


@pytest.fixture
def judge(server: EndpointServer, monkeypatch: pytest.MonkeyPatch) -> EndpointServer:
    """A chat model that counts common words; waiting takes no time."""
    monkeypatch.setattr("harness.endpoints.retries.pause", lambda stopped, seconds: stopped.is_set())
    monkeypatch.delenv("ENDPOINT_API_KEY", raising=False)
    server.reply = lambda n, body: completion(judged(body))
    return server
