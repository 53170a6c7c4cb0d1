"""Rows have names, and every name is an expression of its method."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.base.errors import HarnessError, SettingError, UnknownName
from harness.judges.row import Row
from harness.methods import METHODS, Method
from harness.methods.bm25 import BM25
from harness.methods.cross_encoder import CrossEncoder
from harness.methods.dense import Dense
from harness.methods.hybrid import Hybrid
from harness.methods.late import Late
from harness.methods.rerank import Rerank
from harness.methods.run import RunFile
from harness.methods.sparse import Sparse
from harness.recipes import RECIPES
from harness.recipes.colbert import ColBERT
from harness.recipes.contrastive_tension import ContrastiveTension
from harness.recipes.cross_encoder import CrossEncoder as PairRecipe
from harness.recipes.gpl import GPL
from harness.recipes.splade import Splade
from harness.recipes.supervised import Supervised
from harness.rows import (
    DEFAULT_ROWS,
    ROOMS,
    SHORT_NAMES,
    TUNED_BASELINES,
    at_precision,
    methods_of,
    parse_judge,
    parse_method,
    row_name,
    trained_rows,
)
from harness.training.trained import Trained, with_recipes


def test_the_default_rows_are_the_six_of_the_board() -> None:
    assert list(DEFAULT_ROWS) == ["bm25", "dense", "hybrid-rrf", "hybrid-convex", "bm25>>dense", "bm25>>cross-encoder"]
    assert len({parse_method(row) for row in DEFAULT_ROWS}) == 6


def test_the_tuned_baselines_are_rows_that_choose_their_settings() -> None:
    methods = methods_of(["tuned-baselines"])
    assert len(methods) == len(TUNED_BASELINES) == 6
    assert sum("tuned" in method.full() for method in methods) == 3


@pytest.mark.parametrize("row", DEFAULT_ROWS)
def test_a_default_row_is_known_by_its_name_and_by_its_expression(row: str) -> None:
    method = parse_method(row)
    assert parse_method(DEFAULT_ROWS[row]) == method
    assert parse_method(str(method)) == method
    assert parse_method(method.full()) == method
    assert row_name(method) == row


def test_every_room_of_settings_can_be_written() -> None:
    assert all(ROOMS[room.package] is room for room in ROOMS.values())
    assert METHODS.package in ROOMS


@pytest.mark.parametrize(
    ("method", "name"),
    [
        (BM25(k1=1.2), "bm25(k1=1.2)"),
        (CrossEncoder(), "cross_encoder"),
        (Hybrid((BM25(), Dense("m"))), 'hybrid(methods=(bm25, dense(model="m")))'),
        (Rerank(BM25(k1=1.2), Dense()), "bm25(k1=1.2)>>dense"),
        (Rerank(Hybrid(), CrossEncoder("m")), 'hybrid-rrf>>cross_encoder(model="m")'),
        (Rerank(Rerank(BM25(), Dense()), CrossEncoder()), "bm25>>dense>>cross_encoder"),
        (Rerank(BM25(), Rerank(Dense(), Dense())), "bm25>>rerank(first=dense)"),
        (Rerank(BM25(), Dense(), depth=50), "rerank(depth=50)"),
        (Rerank(Dense(), Dense(), 1000), "rerank(first=dense, depth=1000)"),
        (RunFile("a b.trec"), 'run(path="a b.trec")'),
        (with_recipes(Dense(), (Supervised(),)), "dense+supervised"),
        (
            with_recipes(Dense(), (ContrastiveTension(), Supervised(queries=100))),
            "dense+contrastive_tension+supervised(queries=100)",
        ),
        (with_recipes(Dense("m"), (GPL(budget="full"),)), 'dense(model="m")+gpl(budget="full")'),
        (with_recipes(Dense(), (GPL(teacher=CrossEncoder()),)), "dense+gpl(teacher=cross_encoder)"),
        (Rerank(BM25(), with_recipes(Dense(), (Supervised(),))), "bm25>>dense+supervised"),
        (Rerank(with_recipes(Dense(), (Supervised(),)), CrossEncoder()), "dense+supervised>>cross_encoder"),
        (Rerank(BM25(), with_recipes(Dense(), (Supervised(),)), 20), "rerank(scorer=dense+supervised, depth=20)"),
        (Hybrid((BM25(), with_recipes(Dense(), (Supervised(),)))), "hybrid(methods=(bm25, dense+supervised))"),
        (with_recipes(CrossEncoder("m"), (PairRecipe(),)), 'cross_encoder(model="m")+cross_encoder'),
    ],
)
def test_another_row_is_called_by_the_shortest_text_that_says_all(method: Method, name: str) -> None:
    assert row_name(method) == name
    assert parse_method(name) == method


PRINTED = json.loads((Path(__file__).parent / "rows.json").read_text(encoding="utf-8"))
"""Row → how it printed, in short and with every setting, when results were stored under these names."""


def test_every_name_of_a_row_has_a_text_that_must_stay() -> None:
    assert PRINTED.keys() >= {*trained_rows(), *SHORT_NAMES}


@pytest.mark.parametrize("row", PRINTED)
def test_a_row_prints_as_it_did_when_its_results_were_stored(row: str) -> None:
    method = parse_method(row)
    assert {"str": str(method), "full": method.full(), "name": row_name(method)} == PRINTED[row]
    assert parse_method(method.full()) == method


MADE = [
    with_recipes(Dense(), (Supervised(),)),
    with_recipes(
        Dense("a+b"), (ContrastiveTension(), GPL(teacher=with_recipes(CrossEncoder(), (PairRecipe(negatives=2),))))
    ),
    with_recipes(CrossEncoder(), (PairRecipe(pairs="unlabelled"), PairRecipe())),
    Sparse(query_terms=20),
    with_recipes(Late("m"), (ColBERT(expand_to=None),)),
    parse_method("splade(document_terms=200)"),
    parse_method("ce"),
    parse_method('ce-gold(precision="bf16")'),
    parse_method("ce+cross_encoder(epochs=1)"),
]
LEAF = st.sampled_from([BM25(), BM25(b=0.0), Dense(), Dense("a>>b"), CrossEncoder(), Hybrid(), RunFile("r"), *MADE])
METHOD = st.recursive(
    LEAF,
    lambda inner: (
        st.builds(Rerank, inner, inner, st.sampled_from([100, 7])) | st.builds(Hybrid, st.tuples(inner, inner))
    ),
    max_leaves=5,
)


@given(METHOD)
def test_a_row_name_reads_back_as_its_method(method: Method) -> None:
    assert parse_method(row_name(method)) == method


@given(st.lists(METHOD, min_size=2, max_size=2, unique=True))
def test_no_two_methods_have_one_row_name(methods: list[Method]) -> None:
    assert row_name(methods[0]) != row_name(methods[1])


@pytest.mark.parametrize("path", ["mine.trec", "/a/b.gz", "run/run", "a b(c).trec", "C:\\runs\\a", 'a"b', "näme"])
def test_a_run_file_is_named_by_its_path(path: str) -> None:
    assert parse_method(f"run/{path}") == RunFile(path)


@pytest.mark.parametrize("name", ["my.trec", "my-run", "runs/my.trec", "./runs/my.trec"])
def test_a_run_file_without_its_prefix_is_told_how_it_is_written(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(HarnessError) as before:
        parse_method(name)
    assert "run/" not in str(before.value)
    Path(name).parent.mkdir(exist_ok=True)
    Path(name).write_text("")
    with pytest.raises(SettingError, match=f"there is a file of that name: write run/{re.escape(name)} for a TREC run"):
        parse_method(name)


def test_a_run_without_a_path_is_told() -> None:
    with pytest.raises(SettingError, match="name the file"):
        parse_method("run/")


def test_a_row_that_is_not_known_is_told_with_the_closest_row() -> None:
    with pytest.raises(UnknownName, match=r"unknown method 'hybrid_rff'; did you mean 'hybrid_rrf'"):
        parse_method("hybrid-rff")


# Models that are trained here


@pytest.mark.parametrize("name", SHORT_NAMES)
def test_a_short_name_is_an_expression_that_is_called_by_it(name: str) -> None:
    method = parse_method(name)
    assert parse_method(SHORT_NAMES[name]) == parse_method(name.replace("-", "_")) == method
    assert row_name(method) == name
    assert name not in DEFAULT_ROWS


def test_ce_learns_from_labels_and_ce_contrastive_from_none_all_from_the_encoder_that_needs_no_download() -> None:
    start = Dense().model
    unlabelled, gold = PairRecipe(pairs="unlabelled"), PairRecipe()
    assert parse_method("ce") == with_recipes(CrossEncoder(start, max_length=256), (unlabelled, gold))
    assert parse_method("ce-gold") == with_recipes(CrossEncoder(start, max_length=256), (gold,))
    assert parse_method("ce-contrastive") == with_recipes(
        CrossEncoder(start, max_length=256), (PairRecipe(pairs="unlabelled"),)
    )


def test_splade_and_colbert_learn_from_labels_from_the_same_encoder() -> None:
    assert parse_method("splade") == with_recipes(Sparse(Dense().model), (Splade(),))
    assert parse_method("colbert") == with_recipes(Late(Dense().model), (ColBERT(),))
    assert parse_method("sparse+splade") == with_recipes(Sparse(), (Splade(),))
    assert row_name(parse_method("bm25>>colbert(query_length=24)")) == "bm25>>colbert(query_length=24)"


@pytest.mark.parametrize("first", ["bm25", "dense", "hybrid-rrf", "dense+supervised"])
@pytest.mark.parametrize("name", SHORT_NAMES)
def test_a_short_name_re_ranks_and_teaches(first: str, name: str) -> None:
    method = parse_method(f"{first}>>{name}")
    assert method == Rerank(parse_method(first), parse_method(name))
    assert row_name(method) == f"{first}>>{name}"
    taught = parse_method(f"dense+gpl(teacher={name})")
    assert taught == with_recipes(Dense(), (GPL(teacher=parse_method(name)),))
    assert parse_method(row_name(taught)) == taught


@pytest.mark.parametrize(
    "text",
    [
        'ce(precision="bf16")',
        'bm25>>ce-gold(max_length=128, precision="bf16")',
        "rerank(scorer=ce, depth=50)",
        'rerank(first=hybrid(methods=(bm25, dense+supervised), fusion=convex), scorer=ce(precision="bf16"), depth=50)',
        'dense+gpl(teacher=ce-gold(precision="bf16"))',
        "hybrid(methods=(bm25, ce))",
    ],
)
def test_a_short_name_takes_settings_and_is_printed_wherever_it_stands(text: str) -> None:
    assert row_name(parse_method(text)) == text


def test_settings_of_a_short_name_are_those_of_what_it_stands_for() -> None:
    ce = parse_method("ce")
    assert isinstance(ce, Trained)
    assert parse_method('ce(precision="bf16")') == Trained(dataclasses.replace(ce.method, precision="bf16"), ce.recipes)  # type: ignore[call-arg]
    assert row_name(parse_method("hybrid-convex(fusion=rrf)")) == "hybrid-rrf"
    with pytest.raises(UnknownName, match="setting of ce 'precison'; did you mean 'precision'"):
        parse_method('ce(precison="bf16")')
    with pytest.raises(SettingError, match='ce: precision must be one of "fp32", "bf16"'):
        parse_method('ce(precision="fp8")')
    for text in ('ce("m")', "ce(**{})", "ce(*())"):
        with pytest.raises(SettingError, match="settings of ce are given by their names"):
            parse_method(text)


def test_a_short_name_may_be_trained_further() -> None:
    method = parse_method("ce-contrastive+cross_encoder")
    assert method == parse_method("ce")
    assert row_name(method) == "ce"
    again = parse_method("ce+cross_encoder(epochs=1)")
    assert again == with_recipes(CrossEncoder(Dense().model, max_length=256), (*method.recipes, PairRecipe(epochs=1)))  # type: ignore[attr-defined]
    assert parse_method(row_name(again)) == again


@pytest.mark.parametrize("name", RECIPES.names())
def test_every_recipe_makes_a_row(name: str) -> None:
    method = {"encoder": "dense"}.get(RECIPES.get(name).trains, RECIPES.get(name).trains)
    assert row_name(parse_method(f"{method}+{name}")) == f"{method}+{name}"


@pytest.mark.parametrize(
    ("row", "name"),
    [
        ("bm25", "bm25"),
        ("dense", 'dense(precision="fp32")'),
        ("bm25>>dense", 'bm25>>dense(precision="fp32")'),
        ("hybrid-rrf", 'hybrid(methods=(bm25, dense(precision="fp32")))'),
        ("bm25>>cross-encoder", 'bm25>>cross_encoder(precision="fp32")'),
        ("bm25>>ce", 'bm25>>ce(precision="fp32")'),
        ("sparse", 'sparse(precision="fp32")'),
        ("late", 'late(precision="fp32")'),
        ('dense(precision="bf16")', 'dense(precision="bf16")'),
    ],
)
def test_a_precision_for_all_rows_reaches_those_that_name_none_and_makes_them_other_rows(row: str, name: str) -> None:
    changed = at_precision(parse_method(row), "fp32")
    assert at_precision(parse_method(row), "auto") == parse_method(row), "as it is without a precision"
    assert row_name(changed) == name
    assert parse_method(name) == changed


def test_a_precision_for_all_rows_reaches_no_teacher() -> None:
    row = parse_method("dense+gpl(teacher=cross_encoder)")
    changed = at_precision(row, "fp32")
    assert changed.recipes == row.recipes  # type: ignore[attr-defined]
    assert changed.untrained.precision == "fp32"  # type: ignore[attr-defined]


def test_a_precision_that_there_is_not_is_refused() -> None:
    with pytest.raises(SettingError, match="precision must be one of"):
        at_precision(parse_method("dense"), "int4")


def test_a_setting_of_the_recipes_of_a_short_name_reaches_each_that_has_it() -> None:
    method = parse_method('bm25>>ce(budget="smoke", precision="bf16")')
    _, scorer = method.nested()
    assert [recipe.budget for recipe in scorer.recipes] == ["smoke", "smoke"]
    assert scorer.untrained.precision == "bf16"
    assert parse_method(row_name(method)) == method
    _, plain = parse_method('bm25>>ce(precision="bf16")').nested()
    assert [recipe.pairs for recipe in scorer.recipes] == [recipe.pairs for recipe in plain.recipes]
    with pytest.raises(
        UnknownName, match=r"unknown setting of ce_gold 'buget'; did you mean 'budget'.*Known: .*budget"
    ):
        parse_method('bm25>>ce-gold(buget="smoke")')
    with pytest.raises(SettingError, match='ce_gold: budget must be one of "smoke"'):
        parse_method('bm25>>ce-gold(budget="tiny")')


def test_a_judge_that_is_not_known_is_told_with_the_judges() -> None:
    with pytest.raises(UnknownName, match=r"unknown judge 'panle'; did you mean 'panel'.* Known: chat, panel") as error:
        parse_judge("panle")
    assert "A row that scores pairs is a judge too" in str(error.value)
    with pytest.raises(UnknownName, match="unknown setting"):
        parse_judge("dense(modle=1)")
    assert isinstance(parse_judge("dense"), Row)
