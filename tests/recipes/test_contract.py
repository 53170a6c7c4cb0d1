"""What holds for every recipe in the room, one that is added tomorrow too."""

from __future__ import annotations

import dataclasses
import json
import typing
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.base.errors import HarnessError, SettingError, Unavailable
from harness.cache.folders import Cache
from harness.choices.expression import parse
from harness.data.dataset import TrainView
from harness.data.queries import Labelled
from harness.leaks.history import read_history
from harness.methods import DEV_LABELS, METHODS, NO_LABELS, TRAIN_LABELS, Method, fit
from harness.methods.cross_encoder import CrossEncoder
from harness.methods.dense import Dense
from harness.recipes import RECIPES, Need, Recipe
from harness.rows import ROOMS, parse_method, row_name
from harness.runtime.context import Context
from harness.training.lesson import Report
from harness.training.schedule import BUDGETS, Schedule
from harness.training.trained import with_recipes

Row = Callable[..., Method]
Trained = Callable[[Recipe], Any]
ROW = {"encoder": "dense", "cross_encoder": "cross_encoder", "sparse": "sparse", "late": "late"}
LAST = {"encoder": "supervised", "cross_encoder": "cross_encoder", "sparse": "splade", "late": "colbert"}
"""Of each kind of model, a recipe on gold pairs."""


@pytest.fixture(params=RECIPES.names(), scope="module")
def recipe(request: pytest.FixtureRequest) -> Recipe:
    """One of each; a recipe that runs with its defaults needs no line here."""
    # The tiny encoder has no language-model head.
    known: dict[str, Recipe] = {"tsdae": RECIPES.get("tsdae")(budget="smoke", decoder="fresh")}  # type: ignore[call-arg]
    return known.get(request.param) or RECIPES.get(request.param)(budget="smoke")


@pytest.fixture(scope="module")
def done(recipe: Recipe, trained_at_smoke: Trained) -> Any:
    return trained_at_smoke(recipe)


# Its text


def test_a_recipe_is_a_frozen_dataclass_named_after_its_file(recipe: Recipe) -> None:
    assert RECIPES.get(recipe.name()) is type(recipe)
    assert type(recipe).__dataclass_params__.frozen  # type: ignore[attr-defined]
    assert hash(recipe) == hash(dataclasses.replace(recipe))
    assert type(recipe).__doc__


def test_its_settings_print_and_parse_back(recipe: Recipe) -> None:
    assert parse(str(recipe), RECIPES, ROOMS) == recipe
    assert parse(recipe.full(), RECIPES, ROOMS) == recipe
    assert len(str(recipe)) <= len(recipe.full())


def test_its_row_prints_and_parses_back(recipe: Recipe) -> None:
    bare = RECIPES.get(recipe.name())()
    row = f"{ROW[recipe.trains]}+{recipe.name()}"
    assert (
        parse_method(row)
        == parse_method(row.replace("+", " + "))
        == with_recipes(METHODS.get(ROW[recipe.trains])(), (bare,))  # type: ignore[call-arg]
    )
    for method in (parse_method(row), parse_method(f"{ROW[recipe.trains]}+{recipe}")):
        assert parse_method(row_name(method)) == parse_method(str(method)) == parse_method(method.full()) == method
    assert row_name(parse_method(row)) == row


def test_it_stands_in_a_chain(recipe: Recipe) -> None:
    last = LAST[recipe.trains]
    chain = f"{ROW[recipe.trains]}+{recipe.name()}+{last}"
    method = parse_method(chain)
    assert [r.name() for r in method.recipes] == [recipe.name(), last]  # type: ignore[attr-defined]
    assert row_name(method) == chain


def test_its_settings_are_json(recipe: Recipe) -> None:
    assert json.loads(json.dumps(recipe.settings(), allow_nan=False)) == recipe.settings()


def test_it_says_what_kind_of_model_it_trains_and_what_it_needs(recipe: Recipe) -> None:
    assert recipe.trains in ROW
    assert recipe.needed() <= set(typing.get_args(Need))
    assert type(recipe)().needed() == recipe.needs


# Its schedules


def test_each_budget_has_a_schedule_that_passes_its_own_check(recipe: Recipe) -> None:
    assert set(recipe.schedules) == set(BUDGETS)
    for budget in BUDGETS:
        schedule = type(recipe)(budget=budget).schedule()
        assert schedule == recipe.schedules[budget]
        schedule.check(recipe.name())


OVERRIDES = {
    "epochs": 0.2,
    "batch": 8,
    "accumulate": 2,
    "learning_rate": 3e-4,
    "max_length": 24,
    "dropout": 0.125,
    "precision": "fp32",
}


@pytest.mark.parametrize("budget", BUDGETS)
def test_a_setting_stands_in_place_of_the_budgets(recipe: Recipe, budget: str) -> None:
    overrides = {name: value for name, value in OVERRIDES.items() if name not in recipe.unused}
    made = type(recipe)(budget=budget, **overrides)
    schedule = dataclasses.asdict(made.schedule())
    for name, value in dataclasses.asdict(recipe.schedules[budget]).items():
        assert schedule[name] == {**overrides, "steps": None, "tokens": None}.get(name, value), name


def test_a_setting_that_means_nothing_is_refused(recipe: Recipe) -> None:
    settings = OVERRIDES | {"lora": 4, "matryoshka": (8,), "tokens": 100}
    for name in recipe.unused | ({"matryoshka"} if recipe.trains != "encoder" else set()):
        with pytest.raises(SettingError, match=f"{name} has no meaning here"):
            dataclasses.replace(recipe, **{name: settings[name]})


@pytest.fixture(scope="module")
def changed(recipe: Recipe, sealed: TrainView, row: Row, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The recipe with these settings and without a look at dev, its row, fitted, and the cache, for all tests of it."""
    overrides = {name: value for name, value in OVERRIDES.items() if name not in recipe.unused}
    made = dataclasses.replace(recipe, **overrides, choose="last")
    cache = Cache(tmp_path_factory.mktemp("changed"))
    return made, fit(row(made), sealed, Context(cache=cache)), cache


def test_the_settings_that_are_overridden_reach_the_report(recipe: Recipe, changed: Any) -> None:
    made, fitted, _ = changed
    overrides = {name: value for name, value in OVERRIDES.items() if name not in recipe.unused}
    told = fitted.resolved["training"][0]
    schedule = told["schedule"]
    assert {name: schedule[name] for name in overrides} == overrides
    assert told["precision"] == "fp32"
    assert told["steps"] == Schedule(**schedule).total(told["examples"])
    assert told["dev"] == ()
    assert told["chosen"] == told["steps"]
    assert told["recipe"] == made.full()


def test_the_last_checkpoint_needs_no_dev_label(recipe: Recipe, changed: Any) -> None:
    _, fitted, cache = changed
    assert fitted.supervision == (TRAIN_LABELS if "train labels" in recipe.needed() else NO_LABELS)
    for file in (cache.root / "models").glob("*/training.json"):
        assert json.loads(file.read_text())["dev"] == []  # that of a teacher trained on the way neither


# Training


def test_the_report_is_complete_and_json(done: Any) -> None:
    told = done.told
    assert set(told) == {f.name for f in dataclasses.fields(Report)} | {"recipe"}
    again = json.loads(json.dumps(dict(done.fitted.resolved), allow_nan=False))["training"]
    assert again[0]["recipe"] == done.recipe.full()
    assert told["examples"] > 0
    assert told["steps"] >= 1
    assert told["seconds"] >= 0
    assert told["schedule"] == dataclasses.asdict(done.recipe.schedule())
    assert told["device"] == "cpu"
    assert told["precision"] in ("fp32", "bf16")
    assert told["loss"]
    assert told["facts"]
    assert all(isinstance(note, str) for note in told["notes"])
    assert done.fitted.notes == told["notes"]


def test_dev_is_measured_before_the_first_step_and_chooses_the_checkpoint(done: Any) -> None:
    told = done.told
    steps = [step for step, _ in told["dev"]]
    assert steps[0] == 0
    assert steps[1:] == sorted(set(steps[1:]))
    assert steps[-1] == told["steps"]
    assert all(0 <= value <= 1 for _, value in told["dev"])
    values = [*(value for _, value in told["dev"][1:]), *told["facts"].get("dev_by_average", {}).values()]
    if told["average"]:
        assert told["chosen"] == max(told["dev"][1:], key=lambda point: point[1])[0]
        assert max(values) > told["dev"][0][1] or told["average"] == 1.0  # a new layer ranks nothing before training
    else:
        assert told["chosen"] == 0
        assert told["dev"][0][1] >= max(values)
    assert told["dev_pool"]["queries"] == 6
    assert told["dev_pool"]["documents"] == 60


def test_the_supervision_is_what_it_needs_and_dev(done: Any) -> None:
    wanted = TRAIN_LABELS if "train labels" in done.recipe.needed() else DEV_LABELS
    assert done.told["supervision"] == done.fitted.supervision == wanted


def test_the_model_is_an_ordinary_folder_that_computes_what_the_row_does(done: Any, sealed: TrainView) -> None:
    from sentence_transformers import CrossEncoder as Pairs
    from sentence_transformers import MultiVectorEncoder, SentenceTransformer, SparseEncoder

    texts = sealed.corpus.texts[:8]
    if done.recipe.trains == "encoder":
        model: Any = SentenceTransformer(str(done.place), device="cpu")
        for side, theirs in (("query", model.encode_query), ("document", model.encode_document)):
            mine = done.fitted.encoder.encode(texts, side)
            assert theirs(texts, normalize_embeddings=True) == pytest.approx(mine, abs=1e-5)
            assert np.linalg.norm(mine, axis=1) == pytest.approx(1, abs=1e-5)
    elif done.recipe.trains == "sparse":
        model = SparseEncoder(str(done.place), device="cpu")
        dense = model.encode_document(texts, convert_to_sparse_tensor=False).numpy()
        for i, theirs in enumerate(dense):
            mine = done.fitted._encoder.encode(texts, "document")[i]
            assert np.flatnonzero(theirs).tolist() == mine[:, 0].tolist()
            assert theirs[theirs != 0] == pytest.approx(mine[:, 1], abs=1e-5)
    elif done.recipe.trains == "late":
        model = MultiVectorEncoder(str(done.place), device="cpu")
        for side, encode in (("query", model.encode_query), ("document", model.encode_document)):
            mine = done.fitted._encoder.encode(texts, side)
            for i, theirs in enumerate(encode(texts, convert_to_numpy=True)):
                assert theirs == pytest.approx(mine[i], abs=1e-5)
    else:
        model = Pairs(str(done.place), device="cpu")
        query = sealed.train.queries.texts[0]  # type: ignore[union-attr]
        scorer = done.fitted.candidate_scorer(sealed.corpus, Context(cache=Cache(done.cache)))
        mine = scorer.scores([query], [np.arange(8)])[0]
        import torch

        theirs = model.predict([(query, t) for t in texts], activation_fn=torch.nn.Identity())
        assert theirs == pytest.approx(mine, abs=1e-5)


def test_training_changes_the_model(done: Any, row: Row, sealed: TrainView, context: Context) -> None:
    untrained = fit(done.method.untrained, sealed, context)
    if done.told["average"]:  # else the model before training was better on dev, and is what was saved
        assert done.fitted.key != untrained.key
    assert done.fitted.resolved["model"] == untrained.resolved["model"]  # the name stays the base's


def test_the_model_card_says_what_was_done(done: Any) -> None:
    card = (done.place / "README.md").read_text()
    assert card.startswith("---\n")
    assert "\nlibrary_name: sentence-transformers\n" in card
    assert f"`{done.recipe.full()}`" in card
    assert f"| labels used | {done.told['supervision']} |" in card
    assert f"| steps | {done.told['steps']:,} " in card
    assert "| seed | 0 |" in card
    before, best = done.told["dev"][0][1], dict(done.told["dev"])[done.told["chosen"]]
    assert f"| nDCG@10 on dev | {before:.4f} before, {best:.4f} after (6 dev queries, 60 documents) |" in card


def test_no_checkpoint_is_left(done: Any) -> None:
    assert not list((done.cache / "checkpoints").glob("*"))


def written(cache: Path) -> dict[Path, int]:
    """When each file of the kept models was written; `meta.json` holds when it was last used."""
    files = [p for p in (cache / "models").rglob("*") if p.is_file() and p.name != "meta.json"]
    return {p: p.stat().st_mtime_ns for p in files}


def test_a_second_fit_trains_nothing(done: Any, sealed: TrainView, monkeypatch: pytest.MonkeyPatch) -> None:
    def trains(*given: object) -> None:
        raise AssertionError("trained again")

    before = written(done.cache)
    for name in RECIPES.names():
        monkeypatch.setattr(RECIPES.get(name), "train", trains)
    again = fit(done.method, sealed, Context(cache=Cache(done.cache)))
    assert again.key == done.fitted.key
    assert again.resolved == done.fitted.resolved
    assert written(done.cache) == before


def test_the_same_seed_trains_the_same_model_with_nothing_shared_and_under_guard(
    done: Any, sealed: TrainView, context: Context
) -> None:
    import torch

    def guard(texts: Sequence[str]) -> list[str]:
        heard.update(texts)
        return ["an answer that must not be heard"]

    heard: set[str] = set()
    state = torch.get_rng_state()
    again = fit(done.method, sealed, context.guarded(guard))
    held = read_history(done.place)
    assert held is not None
    assert {one.text for one in held.queries} == heard
    assert torch.equal(torch.get_rng_state(), state)
    assert again.key == done.fitted.key
    told = again.resolved["training"][0]
    for name in ("examples", "steps", "loss", "dev", "chosen", "facts", "notes"):
        assert told[name] == done.told[name], name


def test_it_goes_with_adapters_and_with_fewer_dimensions(done: Any, row: Row, sealed: TrainView) -> None:
    of_vectors = {"matryoshka": (8,)} if done.recipe.trains == "encoder" else {}
    every = {"lora": 2, **of_vectors}
    settings: dict[str, Any] = {name: value for name, value in every.items() if name not in done.recipe.unused}
    changed = dataclasses.replace(done.recipe, **settings)
    told = fit(row(changed), sealed, Context(cache=Cache(done.cache))).resolved["training"][0]
    assert told["facts"].get("matryoshka") == ([8] if "matryoshka" in settings else None)
    assert ("lora" in told["facts"]) == ("lora" in settings)
    assert told["facts"].keys() >= done.told["facts"].keys() - {"dev_by_average"}


def untrained(self: Recipe, base: Any, view: TrainView, context: Context, place: Path, checkpoints: Path) -> Report:
    """Stands for `Recipe.train` where only the key counts: the model as it was."""
    base.fresh(context).save_pretrained(str(place), create_model_card=False)
    return Report(1, 1, 1.0, 0.0, dataclasses.asdict(self.schedule()), "fp32", "cpu")


def test_another_seed_setting_or_collection_is_another_model(
    recipe: Recipe, sealed: TrainView, row: Row, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def train(self: Recipe, base: Any, view: TrainView, context: Context, place: Path, checkpoints: Path) -> Report:
        asked.append((self, context.seed, view.revision))
        return untrained(self, base, view, context, place, checkpoints)

    monkeypatch.setattr(type(recipe), "train", train)
    assert sealed.train is not None
    fewer = sealed.train.queries.only(sealed.train.queries.ids[1:])
    other = TrainView(sealed.corpus, Labelled(fewer, {q: sealed.train.qrels[q] for q in fewer.ids}), sealed.dev)
    cache = Cache(tmp_path / "cache")
    for _ in range(2):
        fit(row(recipe), sealed, Context(cache=cache))
        fit(row(recipe), sealed, Context(cache=cache, seed=1))
        fit(row(dataclasses.replace(recipe, learning_rate=0.5)), sealed, Context(cache=cache))
        fit(row(recipe), other, Context(cache=cache))
    assert len(asked) == len(set(asked)) == 4
    assert len(list((tmp_path / "cache" / "models").iterdir())) == 4


# What it may see


def test_no_text_of_a_test_query_reaches_a_tokenizer_a_model_or_bm25(done: Any, sealed: TrainView) -> None:
    assert len(done.texts) > 60  # the spies do see: every document at least
    assert set(sealed.corpus.texts[:]) <= {t.removeprefix("!") for t in done.texts}
    assert not [text for text in done.texts if "zzsealed" in text]
    assert sealed.dev is not None
    assert set(sealed.dev.queries.texts) <= {t.removeprefix("?") for t in done.texts}


def test_what_it_was_taught_is_kept_with_the_model(done: Any, sealed: TrainView) -> None:
    held = read_history(done.place)
    assert held is not None
    assert held.whole
    assert held.texts
    texts = {kind: {one.text for one in held.queries if one.kind == kind} for kind in held.hashes}
    assert sealed.train is not None
    assert sealed.dev is not None
    assert texts.pop("dev") == set(sealed.dev.queries.texts)
    assert texts.get("gold", set()) <= set(sealed.train.queries.texts)
    assert ("gold" in texts) == ("train labels" in done.recipe.needed())
    assert ("generated" in texts) >= ("generator" in done.recipe.needed())
    assert (sealed.corpus.rows([d for one in held.queries for d in one.documents]) >= 0).all()
    assert all(one.documents for one in held.queries if one.kind != "other")
    assert not [one for one in held.queries if "zzsealed" in one.text]


def test_a_recipe_that_needs_no_train_labels_reads_no_train_query(done: Any, sealed: TrainView) -> None:
    assert sealed.train is not None
    read = {t.removeprefix("?") for t in done.texts} & set(sealed.train.queries.texts)
    assert bool(read) == ("train labels" in done.recipe.needed())


def test_a_collection_without_train_labels_is_refused_with_the_recipes_that_need_none_or_learnt_from(
    recipe: Recipe, sealed: TrainView, row: Row, context: Context
) -> None:
    view = TrainView(sealed.corpus, None, sealed.dev)
    if "train labels" not in recipe.needed():
        assert fit(row(recipe), view, context).supervision == DEV_LABELS
        return
    free = [
        n
        for n in RECIPES.names()
        if RECIPES.get(n).trains == recipe.trains and "train labels" not in RECIPES.get(n).needs
    ]
    with pytest.raises(Unavailable) as told:
        fit(row(recipe), view, context)
    assert str(told.value).startswith(f"{recipe.name()} needs training judgements and the collection has none.")
    free = free or {"cross_encoder": ['cross_encoder(pairs="unlabelled")']}.get(recipe.trains, ["none of this kind"])
    assert told.value.remedy == f"Recipes that need none: {', '.join(free)}; or add qrels/train.tsv."


def test_a_collection_without_dev_queries_is_learnt_to_the_end(
    recipe: Recipe, sealed: TrainView, row: Row, context: Context
) -> None:
    fitted = fit(row(recipe), TrainView(sealed.corpus, sealed.train, None), context)
    told = fitted.resolved["training"][0]
    assert told["dev"] == ()
    assert told["dev_pool"] is None
    assert told["steps"] == told["chosen"] == Schedule(**told["schedule"]).total(told["examples"])
    assert fitted.supervision == (TRAIN_LABELS if "train labels" in recipe.needed() else NO_LABELS)


# What it refuses


def test_the_other_kind_of_model_is_refused_with_the_row_to_write(
    recipe: Recipe, sealed: TrainView, tiny_models: tuple[Path, Path], context: Context
) -> None:
    dense = recipe.trains != "encoder"
    other = with_recipes((Dense if dense else CrossEncoder)(model=str(tiny_models[not dense])), (recipe,))
    with pytest.raises(SettingError, match=rf"write {ROW[recipe.trains]}\+{recipe.name()}\."):
        fit(other, sealed, context)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"budget": "tiny"}, 'budget must be one of "smoke", "small", "full", not "tiny"'),
        ({"choose": "best"}, 'choose must be one of "dev", "last", not "best"'),
        ({"epochs": 0}, "epochs must be above 0"),
        ({"epochs": -1.0}, "epochs must be above 0"),
        ({"batch": 0}, "batch must be 1 or more, not 0"),
        ({"accumulate": 0}, "accumulate must be 1 or more, not 0"),
        ({"learning_rate": 0.0}, "learning_rate must be above 0, not 0.0"),
        ({"learning_rate": float("inf")}, "learning_rate must be above 0 and finite, not inf"),
        ({"max_length": 0}, "max_length must be 3 or more, not 0"),
        ({"dropout": 1.0}, "dropout must be 0 or more and below 1, not 1.0"),
        ({"precision": "fp8"}, 'precision must be one of "auto", "fp32", "bf16", not "fp8"'),
    ],
)
def test_a_setting_out_of_range_is_refused_in_words(recipe: Recipe, setting: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingError, match=f"^{recipe.name()}: {message}"):
        type(recipe)(**setting)


def test_a_setting_it_does_not_have_is_refused_by_name(recipe: Recipe) -> None:
    with pytest.raises(HarnessError, match=r"unknown setting of .* 'no_such_setting'"):
        parse_method(f"{ROW[recipe.trains]}+{recipe.name()}(no_such_setting=1)")


OWN = [
    ("supervised(queries=0)", "supervised: queries must be 1 or more, not 0"),
    ("supervised(negatives=-1)", "supervised: negatives must be 0 or more, not -1"),
    ("supervised(ranks=(5, 1))", r"ranks must be \(from, to\) with 1 ≤ from ≤ to"),
    ("supervised(ranks=(5,))", r"ranks must be 2 long"),
    ("supervised(scale=0)", "supervised: scale must be above 0"),
    ("gist_embed(temperature=0)", "gist_embed: temperature must be above 0"),
    ("ranked_list(positives=0)", "ranked_list: positives must be 1 or more, not 0"),
    ("ranked_list(alpha=3)", "ranked_list: alpha must be above 0 and at most 2"),
    ("ranked_list(alpha=0.3)", "ranked_list: margin must be below alpha"),
    ("ranked_list(temperature=-1)", "ranked_list: temperature must be 0 or more"),
    ("ranked_list(balance=2)", "ranked_list: balance must be between 0 and 1"),
    ("frozen_head(out=0)", "frozen_head: out must be 1 or more, not 0"),
    ("frozen_head(scale=0)", "frozen_head: scale must be above 0"),
    ("frozen_head(decay=-1)", "frozen_head: decay must be 0 or more"),
    ("augmented_sbert(per_query=1)", "augmented_sbert: per_query must be 2 or more, not 1"),
    ("augmented_sbert(queries=0)", "augmented_sbert: queries must be 1 or more, not 0"),
    ("augmented_sbert(documents=0)", "augmented_sbert: documents must be 1 or more, not 0"),
    ("contrastive_tension(negatives=0)", "contrastive_tension: negatives must be 1 or more, not 0"),
    ("contrastive_tension(negatives=4)", r"batch=32 must be a multiple of negatives \+ 1 = 5"),
    ("contrastive_tension(texts=1)", "contrastive_tension: texts must be 2 or more, not 1"),
    ("contrastive_pretraining(words=1)", "words must be 2 or more"),
    ("contrastive_pretraining(mini_batch=0)", "mini_batch must be 1 or more"),
    ("contrastive_pretraining(count=0)", "contrastive_pretraining: count must be 1 or more, not 0"),
    ("contrastive_pretraining(queries=0)", "contrastive_pretraining: queries must be 1 or more, not 0"),
    ("tsdae(delete=1)", "tsdae: delete must be above 0 and below 1"),
    ("tsdae(delete=0)", "tsdae: delete must be above 0 and below 1"),
    ("tsdae(texts=0)", "tsdae: texts must be 1 or more, not 0"),
    ("qgen(documents=0)", "qgen: documents must be 1 or more, not 0"),
    ("qgen(hide=1.5)", "qgen: hide must be between 0 and 1, not 1.5"),
    ("qgen(scale=0)", "qgen: scale must be above 0"),
    ("gpl(ranks=(1,))", r"gpl: ranks must be 2 long"),
    ("gpl(negatives=0)", "negatives must be 1 or more"),
    ("gpl(documents=-1)", "gpl: documents must be 1 or more, not -1"),
    ("gpl(hide=-0.5)", "gpl: hide must be between 0 and 1"),
    ("cross_encoder(negatives=0)", "cross_encoder: negatives must be 1 or more, not 0"),
    ("cross_encoder(documents=0)", "cross_encoder: documents must be 1 or more, not 0"),
    ("splade(query_flops=-1)", "splade: query_flops must be 0 or more"),
    ("splade(document_flops=-1)", "splade: document_flops must be 0 or more"),
    ("splade(scale=0)", "splade: scale must be above 0"),
    ("colbert(scale=0)", "colbert: scale must be above 0"),
    ("colbert(expand_to=2)", "colbert: expand_to must be 3 or more"),
    ("distill(temperature=0)", "distill: temperature must be above 0"),
    ("distill(negatives=0)", "distill: negatives must be 1 or more, not 0"),
    ("cross_encoder(hide=2)", "cross_encoder: hide must be between 0 and 1"),
    ('cross_encoder(loss="pairwise")', 'cross_encoder: loss must be one of "listwise", "pointwise", "margin"'),
    ('contrastive_tension(form="triples")', 'form must be one of "pairs", "in_batch"'),
]


@pytest.mark.parametrize(("text", "message"), OWN)
def test_its_own_settings_are_checked_in_words(text: str, message: str) -> None:
    with pytest.raises(SettingError, match=message):
        parse(text, RECIPES, ROOMS)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("cross_encoder", {"pairs": "silver"}),
        ("cross_encoder", {"loss": "pairwise"}),
        ("contrastive_pretraining", {"pairs": "silver"}),
        ("contrastive_tension", {"form": "triples"}),
        ("contrastive_tension", {"unit": "word"}),
        ("augmented_sbert", {"sampling": "all"}),
        ("augmented_sbert", {"loss": "mse"}),
        ("frozen_head", {"activation": "relu"}),
    ],
)
def test_a_choice_that_is_none_is_refused_where_python_is_written_too(name: str, settings: dict[str, Any]) -> None:
    with pytest.raises(SettingError, match=f"{name}: .*{next(iter(settings))}"):
        RECIPES.get(name)(**settings)


# Chains


@pytest.mark.parametrize("first", ["contrastive_tension", "contrastive_pretraining", "frozen_head", "tsdae"])
def test_recipes_follow_one_another(first: str, sealed: TrainView, row: Row, context: Context) -> None:
    settings: dict[str, Any] = {"budget": "smoke", "average": 1.0}
    own = {"decoder": "fresh"} if first == "tsdae" else {}
    chain = [RECIPES.get(first)(**settings, **own), RECIPES.get("supervised")(**settings)]
    fitted = fit(row(*chain), sealed, context)
    told = fitted.resolved["training"]
    assert [t["recipe"] for t in told] == [r.full() for r in chain]
    assert told[1]["dev"][0][1] == pytest.approx(
        dict(told[0]["dev"])[told[0]["chosen"]], abs=0.05
    )  # where the first one ended
    assert fitted.supervision == TRAIN_LABELS
    if all(training["average"] for training in told):
        assert fitted.key not in {fit(row(r), sealed, context).key for r in chain}


def test_a_chain_takes_the_first_recipe_from_the_cache(sealed: TrainView, row: Row, context: Context) -> None:
    first, second = RECIPES.get("contrastive_tension")(budget="smoke"), RECIPES.get("supervised")(budget="smoke")
    fit(row(first), sealed, context)
    before = written(context.cache.root)
    fit(row(first, second), sealed, Context(cache=context.cache))
    assert before.items() <= written(context.cache.root).items()
    assert len(list((context.cache.root / "models").iterdir())) == 2


# Its key


def test_what_a_budget_means_is_part_of_the_key(
    recipe: Recipe, sealed: TrainView, row: Row, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(recipe), "train", untrained)
    kept = context.cache.root / "models"
    fit(row(recipe), sealed, context)
    before = set(kept.glob("*/model"))
    other = dataclasses.replace(recipe.schedules["smoke"], learning_rate=1e-4)
    scheduled = type(getattr(recipe, "each", recipe))  # several trainings of one recipe have its schedule
    monkeypatch.setattr(scheduled, "schedules", {**recipe.schedules, "smoke": other})
    fit(row(recipe), sealed, Context(cache=context.cache))
    assert set(kept.glob("*/model")) > before
