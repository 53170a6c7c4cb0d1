from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from harness.base.errors import DatasetError, ModelError, SettingError
from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.data.queries import Queries
from harness.methods.bm25 import BM25
from harness.methods.dense import Dense
from harness.runtime.context import Context
from harness.training.negatives import Mining, mine

Scored = Callable[..., Any]
DOCUMENTS = 40
VIEW = TrainView(Corpus.of([(f"{i:02}", "", f"text {i}") for i in range(DOCUMENTS)]))
QUERIES = Queries([f"q{i}" for i in range(6)], [f"query {i}" for i in range(6)])
RNG = random.Random(3)
KNOWN = [np.array(sorted(RNG.sample(range(DOCUMENTS), n)), np.int64) for n in (1, 3, 12, 2, 1, 5)]
PAIRS = [(number, int(row)) for number, rows in enumerate(KNOWN) for row in rows]


def table(seed: int, share: float = 1.0) -> dict[tuple[str, int], float]:
    """Random scores; all but a share of the documents are not answered."""
    rng = random.Random(seed)
    return {
        (t, r): rng.uniform(-5, 5) if rng.random() < share else -np.inf for t in QUERIES.texts for r in range(DOCUMENTS)
    }


def slow_windows(tables: list[dict[tuple[str, int], float]], ranks: tuple[int, int]) -> list[list[int]]:
    """Each miner's whole ranking, taken in turn, known documents out, then the window."""
    windows = []
    for number, text in enumerate(QUERIES.texts):
        rankings = [
            sorted((r for r in range(DOCUMENTS) if t[text, r] > -np.inf), key=lambda r: -t[text, r]) for t in tables
        ]
        united: list[int] = []
        for rank in range(DOCUMENTS):
            for ranking in rankings:
                if rank < len(ranking) and ranking[rank] not in united:
                    united.append(ranking[rank])
        clean = [r for r in united if r not in KNOWN[number]]
        windows.append(clean[ranks[0] - 1 : ranks[1]])
    return windows


def methods(scored: Scored, *tables: dict[tuple[str, int], float]) -> tuple[Any, ...]:
    return tuple(scored(f"miner {i}", lambda t, r, own=own: own[t, r]) for i, own in enumerate(tables))


@pytest.mark.parametrize("ranks", [(1, 1), (1, 5), (3, 9), (8, 30)])
@pytest.mark.parametrize("miners", [1, 2, 3])
def test_the_best_of_the_window_are_taken_in_turn(
    scored: Scored, context: Context, ranks: tuple[int, int], miners: int
) -> None:
    tables = [table(seed) for seed in range(miners)]
    mining = Mining(methods(scored, *tables), ranks, count=2, random=False)
    rows = mine(mining, QUERIES, PAIRS, KNOWN, VIEW, context).rows
    windows = slow_windows(tables, ranks)
    assert rows.shape == (len(PAIRS), 2)
    for (number, _), found in zip(PAIRS, rows.tolist(), strict=True):
        window = windows[number]
        assert found == (window * 2)[:2], "earlier ones are repeated where the window holds too few"


def test_without_ranks_negatives_are_drawn_from_the_whole_corpus(context: Context) -> None:
    pairs = PAIRS * 200
    found = mine(Mining((), None, count=3), QUERIES, pairs, KNOWN, VIEW, context)
    drawn: dict[int, list[int]] = {}
    for (number, _), rows in zip(pairs, found.rows.tolist(), strict=True):
        assert len(set(rows)) == 3
        drawn.setdefault(number, []).extend(rows)
    for number, rows in drawn.items():
        assert set(rows) == set(range(DOCUMENTS)) - set(KNOWN[number].tolist())
    assert found.facts["ranks"] == "random"
    assert found.facts["pairs_without_candidates"] == 0


@pytest.mark.parametrize("seed", [0, 1])
def test_random_negatives_are_of_the_window_and_never_known_to_be_relevant(
    scored: Scored, context: Context, seed: int
) -> None:
    tables = [table(5), table(6, 0.5)]
    mining = Mining(methods(scored, *tables), (2, 9), count=3)
    rows = mine(mining, QUERIES, PAIRS, KNOWN, VIEW, Context(seed=seed, cache=context.cache)).rows
    windows = slow_windows(tables, (2, 9))
    assert all(len(window) == 8 for window in windows)
    for (number, _), found in zip(PAIRS, rows.tolist(), strict=True):
        assert len(set(found)) == 3
        assert set(found) <= set(windows[number])
        assert not set(found) & set(KNOWN[number].tolist())
    drawn = {row for found in rows[PAIRS.index((2, int(KNOWN[2][0]))) :][:12] for row in found.tolist()}
    assert len(drawn) > 4, "twelve pairs of one query do not all get the same"


def test_another_seed_draws_other_negatives_and_the_same_seed_the_same(
    scored: Scored, context: Context, tmp_path: Any
) -> None:
    from harness.cache.folders import Cache

    mining = Mining(methods(scored, table(5)), (1, 20), count=2)
    drawn = [
        mine(mining, QUERIES, PAIRS, KNOWN, VIEW, Context(seed=seed, cache=Cache(tmp_path / f"c{i}"))).rows.tolist()
        for i, seed in enumerate([0, 0, 1])
    ]
    assert drawn[0] == drawn[1] != drawn[2]


@pytest.mark.parametrize("below", [None, 0.95, 0.5, 0.0])
def test_what_the_judge_finds_too_near_the_positive_is_left_out_and_the_rest_is_counted(
    scored: Scored, context: Context, below: float | None
) -> None:
    own, judged = table(7), table(8)
    judge = scored("judge", lambda t, r: judged[t, r])
    mining = Mining(methods(scored, own), (1, 12), count=2, judge=judge, below=below, random=False)
    mined = mine(mining, QUERIES, PAIRS, KNOWN, VIEW, context)
    windows = slow_windows([own], (1, 12))
    above = total = dropped = false = without = 0
    for (number, positive), found in zip(PAIRS, mined.rows.tolist(), strict=True):
        text, window = QUERIES.texts[number], windows[number]
        mark = np.float32(judged[text, positive])
        floor = min([np.float32(judged[text, r]) for r in window] + [mark])
        allowed = []
        for row in window:
            score = np.float32(judged[text, row])
            total += 1
            above += bool(score > mark)
            if below is None or score - floor <= below * (mark - floor):
                allowed.append(row)
            else:
                dropped += 1
        if allowed:
            assert found == (allowed * 2)[:2]
        else:
            without += 1
            assert not set(found) & set(KNOWN[number].tolist())
        false += sum(bool(np.float32(judged[text, row]) > mark) for row in found)
    if below is not None:
        assert mined.facts["left_out"] == dropped
        assert mined.facts["above_the_positive_in_the_window"] == round(above / total, 4)
    assert mined.false_rate == mined.facts["false_negative_rate"] == round(false / (2 * len(PAIRS)), 4)
    assert mined.facts["pairs_without_candidates"] == without
    assert mined.facts["judge"] == str(judge)
    if below is None:
        assert (dropped, without) == (0, 0)
        assert 0 < false < 2 * len(PAIRS)
    else:
        assert without or false == 0, "no mined negative is above its positive once those near it are out"
        assert dropped > 0


def test_without_a_judge_nothing_is_said_about_false_negatives(scored: Scored, context: Context) -> None:
    miners = methods(scored, table(1))
    mined = mine(Mining(miners), QUERIES, PAIRS, KNOWN, VIEW, context)
    assert mined.false_rate is None
    facts = {"miners": [str(*miners)], "ranks": [1, 50], "per_pair": 1, "pairs_without_candidates": 0}
    assert mined.facts == facts


def test_without_a_bound_the_judge_scores_the_positives_and_the_negatives_taken_and_nothing_else(
    scored: Scored, context: Context
) -> None:
    asked: set[tuple[str, int]] = set()

    def judge(text: str, row: int) -> float:
        asked.add((text, row))
        return float(row)

    mined = mine(
        Mining((scored("own", lambda t, r: -r),), (1, 12), count=2, judge=scored("judge", judge)),
        QUERIES,
        PAIRS,
        KNOWN,
        VIEW,
        context,
    )
    wanted = {
        (QUERIES.texts[q], int(row))
        for (q, positive), rows in zip(PAIRS, mined.rows, strict=True)
        for row in (positive, *rows)
    }
    assert asked == wanted


def test_pairs_without_candidates_get_documents_drawn_from_the_corpus(scored: Scored, context: Context) -> None:
    nothing = scored("nothing", lambda t, r: -np.inf)
    for judge in (None, scored("judge", lambda t, r: float(r))):
        mined = mine(Mining((nothing,), count=2, judge=judge), QUERIES, PAIRS, KNOWN, VIEW, context)
        assert mined.facts["pairs_without_candidates"] == len(PAIRS)
        assert (mined.false_rate is None) == (judge is None)
        for (number, _), found in zip(PAIRS, mined.rows.tolist(), strict=True):
            assert not set(found) & set(KNOWN[number].tolist())
            assert len(set(found)) == 2
        assert len(np.unique(mined.rows)) > 10


@pytest.mark.parametrize("random", [True, False])
def test_the_one_document_that_is_not_relevant_is_found_however_few_are_drawn(
    scored: Scored, context: Context, *, random: bool
) -> None:
    known = [np.array([r for r in range(DOCUMENTS) if r != 17 + i], np.int64) for i in range(6)]
    pairs = [(i, 0) for i in range(6)]
    mined = mine(
        Mining((scored("nothing", lambda t, r: -np.inf),), random=random), QUERIES, pairs, known, VIEW, context
    )
    assert mined.rows[:, 0].tolist() == [17, 18, 19, 20, 21, 22]


def test_a_query_that_every_document_answers_has_no_negatives_and_that_is_said(
    scored: Scored, context: Context
) -> None:
    known = [np.arange(DOCUMENTS, dtype=np.int64)] * 6
    with pytest.raises(DatasetError, match=r"every document of the corpus is relevant to 'q0'"):
        mine(Mining((BM25(),)), QUERIES, [(0, 3)], known, VIEW, context)


def test_no_negatives_asked_for_are_no_columns(scored: Scored, context: Context) -> None:
    everything = [np.arange(DOCUMENTS, dtype=np.int64)] * 6
    for known in (KNOWN, everything):
        mined = mine(Mining((), count=0), QUERIES, PAIRS, known, VIEW, context)
        assert mined.rows.shape == (len(PAIRS), 0)


def test_what_was_mined_is_kept_and_not_mined_twice(scored: Scored, context: Context, searches: list[str]) -> None:
    own = table(1)
    judge = scored("judge", lambda t, r: own[t, r])
    mining = Mining(methods(scored, own), (1, 9), judge=judge, below=0.9)
    first = mine(mining, QUERIES, PAIRS, KNOWN, VIEW, context)
    assert searches == ["miner 0"]
    again = mine(mining, QUERIES, PAIRS, KNOWN, VIEW, Context(cache=context.cache))
    assert searches == ["miner 0"], "mined anew"
    assert (again.rows.tolist(), again.false_rate, again.facts) == (first.rows.tolist(), first.false_rate, first.facts)


def test_every_setting_and_input_is_part_of_what_is_kept(scored: Scored, context: Context, searches: list[str]) -> None:
    own = table(1)
    (miner,) = methods(scored, own)
    judge = scored("judge", lambda t, r: own[t, r])
    usual = (Mining((miner,), (1, 9)), QUERIES, PAIRS, KNOWN, VIEW, 0)
    other = TrainView(Corpus.of([(f"{i:02}", "", f"other {i}") for i in range(DOCUMENTS)]))
    fewer = [rows[:0] if i == 2 else rows for i, rows in enumerate(KNOWN)]
    changes = [
        (0, Mining((miner,), (1, 8))),
        (0, Mining((miner,), (1, 9), count=2)),
        (0, Mining((miner,), (1, 9), judge=judge)),
        (0, Mining((miner,), (1, 9), judge=judge, below=0.5)),
        (0, Mining((miner,), (1, 9), random=False)),
        (1, Queries(QUERIES.ids, [*QUERIES.texts[:5], "query 0"])),
        (2, PAIRS[:-1]),
        (3, fewer),
        (4, other),
        (5, 1),
    ]
    for place, value in [(5, 0), *changes]:
        given = [*usual]
        given[place] = value
        *rest, seed = given
        mine(*rest, Context(seed=seed, cache=context.cache))
    assert len(searches) == 1 + len(changes)


def test_a_judge_that_cannot_score_pairs_is_named(context: Context) -> None:
    with pytest.raises(
        ModelError, match="bm25 cannot score given pairs; a teacher or judge must be a cross_encoder or dense row"
    ):
        mine(Mining((BM25(),), judge=BM25()), QUERIES, PAIRS, KNOWN, VIEW, context)


def test_real_methods_mine_and_judge(view: TrainView, tiny_encoder: Any, context: Context) -> None:
    from harness.training.gold import gold

    dense = Dense(model=str(tiny_encoder))
    held = gold(view, context)
    pairs = list(held.pairs())
    mined = mine(Mining((BM25(), dense), (1, 20), 2, dense, 0.95), held.queries, pairs, held.relevant, view, context)
    assert mined.rows.shape == (180, 2)
    for (number, _), found in zip(pairs, mined.rows.tolist(), strict=True):
        assert not set(found) & set(held.relevant[number].tolist())
    assert mined.false_rate is not None


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"ranks": (0, 5)}, r"ranks must be \(from, to\)"),
        ({"ranks": (6, 5)}, r"ranks must be \(from, to\)"),
        ({"count": -1}, "count must be 0 or more, not -1"),
        ({"miners": ()}, "name at least one method that mines"),
        ({"below": 0.9}, "below needs a judge"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(SettingError, match=told):
        Mining(**{"miners": (BM25(),), **settings})


def test_copies_of_a_relevant_document_and_of_the_query_itself_are_no_negatives(
    scored: Scored, context: Context
) -> None:
    texts = ["relevant  one", "relevant one", "the query", "other", "another"]
    view = TrainView(Corpus.of([(f"d{i}", "", text) for i, text in enumerate(texts)]))
    mining = Mining((scored("own", lambda t, r: -r),), (1, 5), count=2, random=False)
    rows = mine(mining, Queries(["q"], ["the  query"]), [(0, 0)], [np.array([0])], view, context).rows
    assert rows.tolist() == [[3, 4]]
