import dataclasses
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from harness.base.errors import ModelError, SettingError
from harness.data.ranking import Floats
from harness.methods.cross_encoder import CrossEncoder
from harness.models.cross_encoder import Pair, PairScorer, open_pair_scorer
from harness.models.tokens import Item
from harness.runtime.context import Context

PAIRS: list[Pair] = [
    ("kala", "bero"),
    ("bero", "kala"),
    ("kala", "a much longer document, which goes on for a while and then ends."),
    ("", ""),
    ("what is kala?", "日本語 ö"),
]


def scorer_of(model: Path | str, context: Context, **changed: object) -> PairScorer:
    return PairScorer(dataclasses.replace(CrossEncoder(model=str(model))._pair_settings(), **changed), context)


def by_hand(model: Path, pairs: Sequence[Pair] = PAIRS) -> Floats:
    import torch
    from sentence_transformers import CrossEncoder as Loaded

    loaded = Loaded(str(model), device="cpu")
    return loaded.predict([list(p) for p in pairs], activation_fn=torch.nn.Identity(), show_progress_bar=False)


@pytest.fixture
def scored(monkeypatch: pytest.MonkeyPatch) -> list[Pair]:
    """Every pair that went through a model."""
    found: list[Pair] = []
    run = PairScorer.run

    def counting(self: PairScorer, items: Sequence[Item[Pair]]) -> Floats:
        found.extend(item.source for item in items)
        return run(self, items)

    monkeypatch.setattr(PairScorer, "run", counting)
    return found


@pytest.fixture
def copy(tiny_cross_encoder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_cross_encoder, tmp_path / "copy"))


def test_kept_scores_are_those_of_sentence_transformers(tiny_cross_encoder: Path, context: Context) -> None:
    scorer, expected = scorer_of(tiny_cross_encoder, context), by_hand(tiny_cross_encoder)
    found = scorer.scores(PAIRS)
    assert found.dtype == np.float32
    assert found.shape == (len(PAIRS),)
    assert np.abs(found - expected).max() < 1e-5
    assert np.array_equal(scorer.scores(PAIRS), found)


def test_scores_are_logits_so_that_sure_answers_do_not_tie(copy: Path, context: Context) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(copy / "model.safetensors")
    weights["classifier.weight"] *= 500
    save_file(weights, copy / "model.safetensors", metadata={"format": "pt"})
    found = scorer_of(copy, context).scores(PAIRS)
    assert np.abs(found).max() > 50
    assert len(set(found.tolist())) == len(PAIRS)


def test_a_second_call_computes_nothing_and_a_pair_that_comes_twice_is_computed_once(
    tiny_cross_encoder: Path, context: Context, scored: list
) -> None:
    first = scorer_of(tiny_cross_encoder, context).scores([*PAIRS, PAIRS[0]])
    assert first[-1] == first[0]
    assert sorted(scored) == sorted(PAIRS)
    scored.clear()
    assert np.array_equal(scorer_of(tiny_cross_encoder, context).scores(PAIRS), first[:-1])
    assert scored == []


def test_where_query_ends_and_document_begins_makes_another_pair(
    tiny_cross_encoder: Path, context: Context, scored: list
) -> None:
    pairs = [("kala", "bero kala"), ("kala bero", "kala"), ("1 a", "b"), ("1", " ab"), ("kala ", "bero kala")]
    scorer_of(tiny_cross_encoder, context).scores(pairs)
    assert sorted(scored) == sorted(pairs)


def test_no_pairs_are_no_scores(tiny_cross_encoder: Path, context: Context) -> None:
    assert scorer_of(tiny_cross_encoder, context).scores([]).shape == (0,)


def test_torch_is_not_imported_where_every_score_is_kept(
    tiny_cross_encoder: Path, context: Context, python: Callable
) -> None:
    expected = scorer_of(tiny_cross_encoder, context).scores(PAIRS)
    code = (
        "import json, sys\n"
        "from harness.runtime.context import Context\n"
        "from harness.methods.cross_encoder import CrossEncoder\n"
        "from harness.models.cross_encoder import PairScorer\n"
        "scorer = PairScorer(CrossEncoder(model=sys.argv[1])._pair_settings(), Context())\n"
        "found = scorer.scores([tuple(p) for p in json.loads(sys.argv[2])])\n"
        "print(json.dumps([sorted({'torch', 'transformers', 'sentence_transformers'} & set(sys.modules)), "
        "found.tolist()]))\n"
    )
    done = python(code, tiny_cross_encoder, json.dumps(PAIRS))
    heavy, found = json.loads(done.stdout or done.stderr)
    assert heavy == []
    assert np.array_equal(np.array(found, np.float32), expected)


@pytest.mark.parametrize("changed", [{"max_length": 16}, {"precision": "bf16"}])
def test_a_setting_changes_the_key(changed: dict[str, object], tiny_cross_encoder: Path, context: Context) -> None:
    assert scorer_of(tiny_cross_encoder, context, **changed).key != scorer_of(tiny_cross_encoder, context).key


def test_changed_weights_change_the_key_and_another_place_does_not(
    tiny_cross_encoder: Path, copy: Path, context: Context
) -> None:
    assert scorer_of(copy, context).key == scorer_of(tiny_cross_encoder, context).key
    raw = bytearray((copy / "model.safetensors").read_bytes())
    raw[-1] ^= 1
    (copy / "model.safetensors").write_bytes(raw)
    assert scorer_of(copy, context).key != scorer_of(tiny_cross_encoder, context).key


def test_max_length_cuts_pairs(tiny_cross_encoder: Path, context: Context) -> None:
    pairs = [("kala", "bero kala bero kala"), ("kala", "bero kala bero mana")]
    cut = scorer_of(tiny_cross_encoder, context, max_length=8).scores(pairs)
    whole = scorer_of(tiny_cross_encoder, context).scores(pairs)
    assert cut[0] == pytest.approx(cut[1], abs=1e-6)
    assert abs(whole[0] - whole[1]) > 1e-4


def test_a_model_that_answers_several_numbers_a_pair_is_a_model_error(
    tmp_path: Path, copy: Path, context: Context
) -> None:
    from transformers import BertConfig, BertForSequenceClassification

    config = BertConfig.from_pretrained(copy)
    config.num_labels = 3
    BertForSequenceClassification(config).save_pretrained(copy)
    with pytest.raises(ModelError, match="gives 3 numbers per pair, but a re-ranker needs one score"):
        scorer_of(copy, context).scores(PAIRS)


def test_an_answer_that_is_not_a_number_is_a_model_error_that_names_the_model(copy: Path, context: Context) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(copy / "model.safetensors")
    weights["classifier.bias"][0] = float("nan")
    save_file(weights, copy / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match="not a number") as caught:
        scorer_of(copy, context).scores(PAIRS)
    assert str(copy) in str(caught.value)


def test_what_was_resolved_is_json_and_says_all_that_decides_a_score(
    tiny_cross_encoder: Path, context: Context
) -> None:
    scorer = scorer_of(tiny_cross_encoder, context)
    assert json.loads(json.dumps(scorer.resolved)) == {
        "model": str(tiny_cross_encoder),
        "source": "folder",
        "revision": None,
        "sha": scorer.folder.sha,
        "max_length": None,
        "precision": "fp32",
    }


def test_one_scorer_serves_all_rows_with_the_same_settings(tiny_cross_encoder: Path, context: Context) -> None:
    settings = CrossEncoder(model=str(tiny_cross_encoder))._pair_settings()
    assert open_pair_scorer(settings, context) is open_pair_scorer(settings, context)


@pytest.mark.parametrize(
    ("changed", "told"),
    [({"precision": "int4"}, "precision must be one of"), ({"max_length": 0}, "1 or more")],
)
def test_a_setting_out_of_range_is_refused_before_anything_is_loaded(changed: dict[str, object], told: str) -> None:
    with pytest.raises(SettingError, match=told):
        CrossEncoder(model="/nowhere", **changed)
