"""Values and their text are two forms of one thing."""

from __future__ import annotations

import contextlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.analyzers import ANALYZERS, Analyzer
from harness.analyzers.english import English
from harness.analyzers.standard import Standard
from harness.base.errors import HarnessError, SettingError, UnknownName
from harness.choices.expression import parse
from harness.fusions.convex import Convex
from harness.fusions.rrf import RRF
from harness.indexes.exact import Exact
from harness.methods import METHODS, Method
from harness.methods.bm25 import BM25
from harness.methods.cross_encoder import CrossEncoder
from harness.methods.dense import Dense
from harness.methods.hybrid import Hybrid
from harness.methods.rerank import Rerank
from harness.methods.run import RunFile
from harness.recipes.contrastive_tension import ContrastiveTension
from harness.recipes.cross_encoder import CrossEncoder as PairRecipe
from harness.recipes.frozen_head import FrozenHead
from harness.recipes.gist_embed import GISTEmbed
from harness.recipes.gpl import GPL
from harness.recipes.supervised import Supervised
from harness.rows import DEFAULT_ROWS, ROOMS
from harness.training.trained import with_recipes

NAMED = {"dense": "dense", "twin": "hybrid(fusion=convex)", "bm25>>dense": "bm25>>dense", "my-own": "bm25(k1=3)"}


def read(text: str) -> Method:
    return parse(text, METHODS, ROOMS, NAMED)


TEXT = st.text(st.characters(codec="utf-8"), max_size=8) | st.sampled_from(
    ['"', "'", "\\", "a-b", '"a-b"', "\\u0041", "bm25>>dense", "(", "#", "\n", "\x00", "{}", "None", "passage: "]
)
SHARE = st.floats(0, 1) | st.integers(0, 1)
ANALYZER = st.builds(English, st.booleans(), st.booleans()) | st.just(Standard())
BM = st.builds(BM25, st.floats(0, allow_infinity=False) | st.integers(0, 9), SHARE, ANALYZER)
PRECISION = st.sampled_from(["fp32", "bf16", "fp16"])
POSITIVE = st.integers(1, 10**20)
DENSE = st.builds(
    Dense,
    model=TEXT,
    revision=st.none() | TEXT,
    query_prompt=st.none() | TEXT,
    document_prompt=st.none() | TEXT,
    pooling=st.none() | st.sampled_from(["mean", "cls"]),
    max_length=st.none() | POSITIVE,
    precision=PRECISION,
    similarity=st.sampled_from([None, "cosine", "dot"]),
    trust_remote_code=st.booleans(),
    index=st.builds(Exact, POSITIVE),
)
RECIPE = (
    st.builds(Supervised, queries=st.none() | st.integers(1, 10**6), scale=st.floats(0.1, 100))
    | st.builds(FrozenHead, epochs=st.none() | st.floats(0.1, 9), out=st.none() | st.integers(1, 512))
    | st.builds(ContrastiveTension, form=st.sampled_from(["pairs", "in_batch"]))
    | st.builds(
        GPL, teacher=st.none() | st.builds(CrossEncoder, model=TEXT), miners=st.lists(BM, max_size=2).map(tuple)
    )
    | st.builds(GISTEmbed, guide=st.none() | DENSE, below=st.none() | SHARE)
)
TRAINED = st.builds(with_recipes, st.builds(Dense, model=TEXT), st.lists(RECIPE, min_size=1, max_size=3).map(tuple))
CROSS = st.builds(
    CrossEncoder, model=TEXT, revision=st.none() | TEXT, max_length=st.none() | POSITIVE, precision=PRECISION
)
RUN = st.builds(RunFile, TEXT.filter(bool))
CONVEX = st.builds(Convex, st.none() | SHARE, st.sampled_from(["minmax", "zscore"]))
FUSION = st.builds(RRF, st.integers(0, 10**6))


def made_of(inner: st.SearchStrategy[Method]) -> st.SearchStrategy[Method]:
    pair = st.tuples(inner, inner)
    return (
        st.builds(Rerank, inner, inner, POSITIVE)
        | st.builds(Hybrid, st.lists(inner, min_size=2, max_size=4).map(tuple), FUSION, POSITIVE)
        | st.builds(Hybrid, pair, CONVEX, POSITIVE)
    )


METHOD = st.recursive(BM | DENSE | TRAINED | CROSS | RUN, made_of, max_leaves=6)


@given(method=METHOD)
def test_what_a_value_prints_reads_back_as_it(method: Method) -> None:
    for text in (str(method), method.full()):
        again = read(text)
        assert again == method
        assert again.fingerprint() == method.fingerprint()
        assert str(again) == str(method)


@given(first=METHOD, second=METHOD, third=METHOD)
def test_two_arrows_are_rerank_of_rerank(first: Method, second: Method, third: Method) -> None:
    assert read(f"{first}>>{second}") == Rerank(first, second)
    assert read(f" {first} >> {second}\t>> {third} ") == Rerank(Rerank(first, second), third)
    assert read(f"{first} >> ({second} >> {third})") == Rerank(first, Rerank(second, third))


@given(recipes=st.lists(RECIPE, min_size=1, max_size=3), first=METHOD)
def test_a_plus_adds_a_recipe_and_binds_more_closely_than_an_arrow(recipes: list[Supervised], first: Method) -> None:
    chain = " + ".join(["dense", *map(str, recipes)])
    trained = with_recipes(Dense(), tuple(recipes))
    assert read(chain) == trained
    assert read(f"{first} >> {chain}") == Rerank(first, trained)
    assert read(f"{chain} >> {first}") == Rerank(trained, first)


PIECES = [*"abk125>(),=\".'-_ \n\\[]{}:*+#%", "bm25", "dense", ">>", "k1=", "rerank", "analyzer=", "é", "\ud800"]


@given(text=st.lists(st.sampled_from(PIECES)).map("".join))
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    with contextlib.suppress(HarnessError):
        assert isinstance(read(text), Method)


@pytest.mark.parametrize(
    ("text", "method"),
    [
        ("bm25", BM25()),
        ("bm25()", BM25()),
        ("bm25(0.5)", BM25(k1=0.5)),
        ("bm25(1)", BM25(k1=1.0)),
        ("bm25(0.5, b=1)", BM25(0.5, 1.0)),
        ("bm25(k1=1.2,)", BM25(1.2)),
        ("bm25(analyzer=english(stem=False))", BM25(analyzer=English(stem=False))),
        ("cross-encoder", CrossEncoder()),
        ("cross_encoder(max-length=3)", CrossEncoder(max_length=3)),
        ('dense(query_prompt="a-b >> c: ")', Dense(query_prompt="a-b >> c: ")),
        ("dense(query_prompt='it\\'s \"a-b\"')", Dense(query_prompt='it\'s "a-b"')),
        ("dense(query_prompt='it\\'s a-b')", Dense(query_prompt="it's a-b")),
        ('dense(query_prompt="\\"a-b")', Dense(query_prompt='"a-b')),
        ('dense(model="a" "b")', Dense("ab")),
        ('dense(max_length=None, similarity="dot")', Dense(similarity="dot")),
        ("hybrid(methods=(bm25, dense, bm25))", Hybrid((BM25(), Dense(), BM25()))),
        ("hybrid(methods=[bm25, bm25(k1=2)])", Hybrid((BM25(), BM25(2.0)))),
        ("hybrid(fusion=convex(weight=0.3))", Hybrid(fusion=Convex(0.3))),
        ("hybrid(methods=(bm25>>dense, dense))", Hybrid((Rerank(BM25(), Dense()), Dense()))),
        ("rerank(bm25, cross-encoder, 20)", Rerank(BM25(), CrossEncoder(), 20)),
        ("twin", Hybrid(fusion=Convex())),
        ("my-own", BM25(3.0)),
        ("my_own>>dense", Rerank(BM25(3.0), Dense())),
        ("hybrid(methods=(twin, my-own))", Hybrid((Hybrid(fusion=Convex()), BM25(3.0)))),
        ("bm25>>dense", Rerank(BM25(), Dense())),
        ("dense+supervised", with_recipes(Dense(), (Supervised(),))),
        ("dense + supervised()", with_recipes(Dense(), (Supervised(),))),
        ("dense(recipes=(supervised,))", with_recipes(Dense(), (Supervised(),))),
        ("dense(recipes=(gpl,))+supervised", with_recipes(Dense(), (GPL(), Supervised()))),
        ("(dense+gpl)+supervised", with_recipes(Dense(), (GPL(), Supervised()))),
        ("dense+supervised(queries=100)", with_recipes(Dense(), (Supervised(queries=100),))),
        ("dense+contrastive-tension", with_recipes(Dense(), (ContrastiveTension(),))),
        ('dense(model="a+b")+supervised', with_recipes(Dense("a+b"), (Supervised(),))),
        ("dense+supervised+supervised", with_recipes(Dense(), (Supervised(), Supervised()))),
        ("bm25>>dense+supervised", Rerank(BM25(), with_recipes(Dense(), (Supervised(),)))),
        ("dense+supervised>>cross_encoder", Rerank(with_recipes(Dense(), (Supervised(),)), CrossEncoder())),
        ("cross_encoder+cross_encoder", with_recipes(CrossEncoder(), (PairRecipe(),))),
        (
            "dense+gpl(teacher=cross_encoder+cross_encoder)",
            with_recipes(Dense(), (GPL(teacher=with_recipes(CrossEncoder(), (PairRecipe(),))),)),
        ),
        (
            "dense+supervised(miners=(bm25>>dense,))",
            with_recipes(Dense(), (Supervised(miners=(Rerank(BM25(), Dense()),)),)),
        ),
    ],
)
def test_what_can_be_written(text: str, method: Method) -> None:
    assert read(text) == method


def test_a_whole_number_becomes_the_float_that_a_setting_is() -> None:
    method = read("bm25(k1=1)")
    assert isinstance(method, BM25)
    assert isinstance(method.k1, float)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("bm52", r"unknown method 'bm52'; did you mean 'bm25'\?"),
        ("twim", r"unknown method 'twim'; did you mean .*'twin'"),
        ("bm25(analyzer=englisch)", r"unknown analyzer 'englisch'; did you mean 'english'\?"),
        ("bm25(k2=1)", r"unknown setting of bm25 'k2'; did you mean 'k1'\?"),
        ("hybrid(fusion=bm25)", r"unknown fusion 'bm25'"),
        ("bm25(analyzer=a>>b)", r"unknown analyzer 'rerank'"),
        ("bm25>>dens", r"unknown method 'dens'; did you mean 'dense'"),
        ("dense+supervise", r"unknown recipe 'supervise'; did you mean 'supervised'"),
        ("dense+contrastive_tention", r"unknown recipe 'contrastive_tention'; did you mean 'contrastive_tension'"),
        ("dense+bm25", r"unknown recipe 'bm25'"),
        ("dense+twin", r"unknown recipe 'twin'"),
        ("dens+supervised", r"unknown method 'dens'; did you mean 'dense'"),
        ("supervised", r"unknown method 'supervised'"),
        ("dense+supervised(query=100)", r"unknown setting of supervised 'query'; did you mean 'queries'\?"),
        ("dense+gpl(teacher=cross_encoder+gpI)", r"unknown recipe 'gpI'; did you mean 'gpl'"),
    ],
)
def test_a_name_that_is_not_known_is_told_with_the_closest(text: str, message: str) -> None:
    with pytest.raises(UnknownName, match=message):
        read(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "invalid syntax"),
        ("bm25(", "invalid syntax"),
        ("bm25)(", "invalid syntax"),
        ("bm25 dense", "invalid syntax"),
        ("bm25(k1=)", "invalid syntax"),
        ("bm25(k1=1, k1=2)", "k1 is given twice"),
        ("\ud800", "invalid syntax"),
        ('run(path="C:\\data")', r"invalid syntax \(.*invalid escape sequence"),
        ("bm25\x00", "invalid syntax"),
        ("3", "'3' names no method"),
        ("bm25 + dense", r"bm25 is not trainable, so no recipe can follow it"),
        ("bm25+supervised", r"bm25 is not trainable, so no recipe can follow it"),
        ("hybrid+supervised", "hybrid is not trainable"),
        ("(bm25>>dense)+supervised", "rerank is not trainable"),
        ("dense+(supervised+gpl)", "supervised is not trainable"),
        ("dense+", "invalid syntax"),
        ("dense+3", "'3' names no recipe"),
        (
            "dense+'supervised'",
            'each of recipes must be a recipe such as .*, not the string "supervised"; write supervised',
        ),
        ("dense(index='hnsw')", 'dense: index must be an index such as .*, not the string "hnsw"; write index=hnsw'),
        (
            "dense(index='hnws')",
            'dense: index must be an index such as binary, exact, .* or scalar, not the string "hnws"$',
        ),
        ("bm25,dense", r"for 2 rows write -m bm25 -m dense, for one row that fuses them hybrid\(\(bm25, dense\)\)"),
        ("bm25, dense(model='x')", r"write -m bm25 -m 'dense\(model=\"x\"\)', for one row"),
        ("dense(index=(flat, hnsw))", "one index is expected; give them one by one"),
        ("dense+supervised(queries=0)", "supervised: queries must be 1 or more, not 0"),
        (
            'dense+supervised(queries="all")',
            'supervised: queries must be a whole number, 1 or more, or None, not "all"',
        ),
        ('dense+gpl(budget="huge")', 'gpl: budget must be one of "smoke", "small", "full", not "huge"'),
        (
            "dense(recipes=supervised)",
            r"dense: recipes must be a tuple, each a recipe such as .*, not supervised; write recipes=\(supervised,\)",
        ),
        ("bm25 < dense", "names no method"),
        ("bm25.k1", "'bm25.k1' names no method"),
        ("bm25()()", "names no method"),
        ("[bm25]", "names no method"),
        ("lambda: bm25", "names no method"),
        ("__import__('os').system('false')", "names no method"),
        ("bm25(1, 1, english, None, 5)", "bm25 takes at most 4 settings"),
        ("bm25(*a)", "takes at most"),
        ("bm25(**a)", r"\*\* is given twice or cannot be read"),
        ("bm25(0.9, k1=0.9)", "k1 is given twice"),
        ("bm25(k1=True)", "bm25: k1 must be a number, 0 or more, not True"),
        ('bm25(k1="1")', 'bm25: k1 must be a number, 0 or more, not "1"'),
        ("bm25(k1=one)", "bm25: k1 must be a number, 0 or more, not one; strings go in quotes"),
        ("bm25(k1=1+1)", r"bm25: k1 must be a number, 0 or more, not 1 \+ 1"),
        ("bm25(k1=1j)", "k1 must be a number"),
        ("bm25(k1=1e999)", "k1 must be 0 or more and finite, not inf"),
        ("bm25(k1=" + "9" * 400 + ")", "k1 must be a number"),
        ("bm25(b=-0.1)", "b must be between 0 and 1"),
        ("bm25(analyzer=english(stem=1))", "english: stem must be True or False, not 1"),
        (
            "bm25(analyzer='english')",
            'bm25: analyzer must be an analyzer such as cjk, english, snowball or standard, not the string "english"; '
            "write analyzer=english",
        ),
        (
            "bm25(analyzer=None)",
            "bm25: analyzer must be an analyzer such as cjk, english, snowball or standard, not None",
        ),
        ("dense(max_length=1.5)", "dense: max_length must be a whole number, 1 or more, or None, not 1.5"),
        ("dense(max_length=True)", "dense: max_length must be a whole number, 1 or more, or None"),
        ("dense(model=None)", "dense: model must be a string, not None"),
        ("dense(model=a/b)", "dense: model must be a string, not a / b; strings go in quotes"),
        ('dense(precision="fp8")', 'dense: precision must be one of "fp32", "bf16", "fp16", "int8", "auto", not "fp8"'),
        ('dense(similarity="l2")', 'dense: similarity must be one of "cosine", "dot" or None, not "l2"'),
        ("dense(model={})", "dense: model must be a string"),
        (
            "hybrid(methods=bm25)",
            r"hybrid: methods must be a tuple, each a method such as .*, not bm25; write methods=\(bm25,\)",
        ),
        ("hybrid(methods=())", "two or more"),
        ("hybrid(methods=(bm25, 3))", "'3' names no method"),
        ("run", "name the file"),
        ("run(path=b'a')", "path must be a string"),
        ("(" * 500 + "bm25" + ")" * 500, "cannot read"),
        (">>".join(["bm25"] * 5000), "cannot read"),
    ],
)
def test_what_cannot_be_read_is_told_with_the_reason(text: str, message: str) -> None:
    with pytest.raises(SettingError, match=message):
        read(text)


def test_a_fault_shows_what_an_expression_looks_like() -> None:
    like = r"An expression looks like bm25, dense\(model=\"…\"\) or bm25\(k1=1\.2\)>>dense\."
    with pytest.raises(SettingError, match=rf"cannot read '3': .* {like}"):
        read("3")


def test_settings_that_no_text_can_say_are_refused_by_the_value() -> None:
    for k1 in (math.inf, math.nan, -1.0):
        with pytest.raises(SettingError):
            BM25(k1=k1)


def test_any_room_can_be_read() -> None:
    analyzer: Analyzer = parse("english(stop=False)", ANALYZERS, ROOMS)
    assert analyzer == English(stop=False)


def test_a_short_name_never_hides_an_item() -> None:
    assert parse("bm25", METHODS, ROOMS, {"bm25": "bm25(k1=5)"}) == BM25()


@pytest.mark.parametrize("text", DEFAULT_ROWS.values())
def test_default_rows_are_expressions(text: str) -> None:
    assert parse(text, METHODS, ROOMS)


@pytest.mark.parametrize("text", ['dense(model="\\ud800")', 'rerank(first=bm25, scorer=dense(model="a\\udfff"))'])
def test_a_setting_that_is_not_text_is_refused(text: str) -> None:
    with pytest.raises(SettingError, match=r"contains '\\ud[8f]..', which is not text"):
        read(text)
