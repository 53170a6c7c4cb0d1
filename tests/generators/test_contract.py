"""What holds for every file of the room, and for `questions`, the way in."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from harness.base.errors import ModelError, SettingError, UnknownName
from harness.cache.folders import Cache
from harness.cache.manage import entries, faults
from harness.choices.expression import parse
from harness.data.corpus import Corpus
from harness.endpoints.journal import Journal
from harness.generators import GENERATORS, Generated, Generator, Question, every_question, questions
from harness.runtime.context import Context

ROOMS = {GENERATORS.package: GENERATORS}
REQUIRED: dict[str, dict[str, Any]] = {"chat": {"model": "some-model"}}
CORPUS = Corpus.of(
    [
        ("a", "Stroke", "Aspirin lowers the risk of stroke in men. It did not help women at all. Nobody knows why."),
        ("b", "", "Basalt is a volcanic rock of fine grain. It covers most of the ocean floor. Granite is lighter."),
        ("c", "Comets", "Comets are balls of ice and dust. Their tails point away from the sun. Some return often."),
    ]
)


@pytest.fixture(params=GENERATORS.names())
def generator(request: pytest.FixtureRequest) -> Generator:
    return GENERATORS.get(request.param)(**REQUIRED.get(request.param, {}))


@pytest.fixture(params=GENERATORS.names())
def runnable(request: pytest.FixtureRequest) -> Generator:
    """Every resident, with what it needs to run here."""
    if request.param == "chat":
        server = request.getfixturevalue("server")
        return GENERATORS.get("chat")(model="m", url=server.url)
    if request.param == "seq2seq":
        return GENERATORS.get("seq2seq")(model=str(request.getfixturevalue("tiny_t5")), max_length=6, batch=2)
    return GENERATORS.get(request.param)()


def test_a_generator_is_a_frozen_value_with_a_source(generator: Generator) -> None:
    assert parse(str(generator), GENERATORS, ROOMS) == generator
    assert parse(generator.full(), GENERATORS, ROOMS) == generator
    assert json.loads(json.dumps(generator.settings())) == generator.settings()
    assert "Source" in (type(generator).__doc__ or "")
    assert generator.per_document == 3
    assert "per_document" in [f.name for f in dataclasses.fields(generator)]  # type: ignore[arg-type]
    with pytest.raises(dataclasses.FrozenInstanceError):
        generator.per_document = 4
    with pytest.raises(SettingError, match="per_document"):
        dataclasses.replace(generator, per_document=0)  # type: ignore[type-var]


def test_an_unknown_setting_is_told_with_the_closest(generator: Generator) -> None:
    with pytest.raises(UnknownName, match="per_document"):
        parse(f"{generator.name()}(per_documents=2)", GENERATORS, ROOMS)


def test_the_seed_decides_every_question_and_each_is_about_a_row_asked(runnable: Generator, tmp_path: Path) -> None:
    def run(seed: int, place: str) -> list[Question]:
        context = Context(seed=seed, cache=Cache(tmp_path / place))
        return list(runnable.generate(CORPUS, [2, 0], context))

    first = run(1, "one")
    assert first == run(1, "two")
    assert any(run(seed, f"seed{seed}") != first for seed in range(2, 8))
    assert {question.row for question in first} == {0, 2}
    assert [q.row for q in first] == sorted((q.row for q in first), key=[2, 0].index)
    assert all(question.origin for question in first)


@dataclass(frozen=True)
class Told(Generator):
    """Says what it was told, as (row, text), and counts how often it is asked.

    Args:
        told: JSON.
    """

    per_document: int = 3
    told: str = "[]"

    @classmethod
    def name(cls) -> str:
        return "told"

    def inputs(self, context: Context) -> dict[str, str]:
        return dict(INPUTS)

    def generate(self, corpus: Corpus, rows: Sequence[int], context: Context) -> Iterator[Question]:
        CALLS.append(list(rows))
        return (Question(text, row, "told") for row, text in json.loads(self.told))


CALLS: list[list[int]] = []
INPUTS: dict[str, str] = {}


@pytest.fixture(autouse=True)
def _fresh() -> None:
    CALLS.clear()
    INPUTS.clear()


def asked(
    context: Context, *told: tuple[int, str], corpus: Corpus = CORPUS, rows: Sequence[int] = (0, 1, 2)
) -> Generated:
    return questions(Told(told=json.dumps(told)), corpus, rows, context)


def test_white_space_is_normalised_and_repetitions_go(context: Context) -> None:
    found = asked(context, (1, " what \n is\tbasalt? "), (1, "What is BASALT"), (1, ""), (1, " ?\n"), (0, "why"))
    assert [(q.row, q.text) for q in found.questions] == [(0, "why"), (1, "what is basalt?")]
    assert found.dropped == {"repeated": 1, "empty": 2}
    assert found.documents == 3


def test_a_question_of_two_documents_is_dropped_for_both(context: Context) -> None:
    found = asked(context, (0, "why?"), (1, "Why"), (2, "how?"))
    assert [q.text for q in found.questions] == ["how?"]
    assert found.dropped == {"shared": 2}


def test_what_is_longer_than_its_document_or_the_whole_of_it_is_dropped(context: Context) -> None:
    corpus = Corpus.of([("a", "Big", "cats  roar."), ("b", "", "Dogs bark loudly.")])
    told = [
        (0, "big cats roar"),
        (0, "cats roar"),
        (0, "which large cats do roar"),
        (1, "dogs bark loudly"),
        (1, "dogs"),
    ]
    found = asked(context, *told, corpus=corpus, rows=[0, 1])
    assert [q.text for q in found.questions] == ["cats roar", "dogs"]
    assert found.dropped == {"whole document": 2, "too long": 1}


def test_a_second_call_is_answered_from_the_cache(context: Context) -> None:
    first = asked(context, (0, "why?"), (1, "how?"))
    again = asked(Context(cache=context.cache), (0, "why?"), (1, "how?"))
    assert again == first
    assert len(CALLS) == 1
    [entry] = [e for e in entries(context.cache) if e.kind == "questions"]
    assert faults(entry) == []


def test_all_that_decides_is_in_the_key(context: Context) -> None:
    asked(context, (0, "why?"))
    asked(Context(seed=1, cache=context.cache), (0, "why?"))
    asked(context, (0, "why?"), rows=[0, 1])
    asked(
        context, (0, "why?"), corpus=Corpus.of([("a", "", "other words than before"), ("b", "", "x"), ("c", "", "y")])
    )
    INPUTS["model"] = "another hash"
    asked(context, (0, "why?"))
    questions(Told(per_document=4, told='[[0, "why?"]]'), CORPUS, [0, 1, 2], context)
    assert len(CALLS) == 6


def test_a_row_that_comes_twice_is_asked_once(context: Context) -> None:
    assert asked(context, (0, "why?"), rows=[2, 0, 2]).documents == 2
    assert CALLS == [[2, 0]]


def test_no_rows_or_rows_beyond_the_corpus_are_refused(context: Context) -> None:
    with pytest.raises(SettingError, match="no document"):
        asked(context, rows=[])
    for rows in ([3], [-1]):
        with pytest.raises(IndexError, match="3 documents"):
            asked(context, rows=rows)


def test_nothing_usable_is_an_error_that_says_why_and_is_not_kept(context: Context) -> None:
    for _ in range(2):
        with pytest.raises(
            ModelError, match=r"no usable question of the 3 requested documents.*'a', 'b', 'c'.*1 empty.*extractive"
        ):
            asked(context, (0, " "))
    with pytest.raises(ModelError, match="it made none"):
        asked(context)
    assert len(CALLS) == 3
    assert not list(context.cache.root.glob("questions/*"))


def test_kept_pieces_survive_a_line_cut_short_and_an_altered_one(context: Context) -> None:
    pieces = Journal(context.cache, "answers", "0" * 32, {"of": "test"})
    pieces.add("one", {"text": "ä"})
    pieces.add("two", [1])
    path = context.cache.root / "answers" / ("0" * 32) / "pieces.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole[:-5])  # killed in the middle of the second
    assert pieces.read() == {"one": {"text": "ä"}}
    pieces.add("three", None)
    assert pieces.read() == {"one": {"text": "ä"}, "three": None}
    path.write_bytes(whole.replace(b"[1]", b"[2]"))
    assert pieces.read() == {"one": {"text": "ä"}}
    [entry] = entries(context.cache)
    assert (entry.kind, entry.describe, faults(entry)) == ("answers", {"of": "test"}, [])


def test_for_expansion_repeated_and_shared_questions_stay_and_empty_ones_go(context: Context) -> None:
    told = [(0, " why\n?"), (0, "Why?"), (1, "why?"), (1, " ? "), (2, CORPUS.texts[2])]
    found = list(every_question(Told(told=json.dumps(told)), CORPUS, context))
    assert [(q.row, q.text) for q in found] == [(0, "why ?"), (0, "Why?"), (1, "why?"), (2, CORPUS.texts[2])]
    assert CALLS == [[0, 1, 2]]


def test_what_a_runnable_one_says_of_all_is_in_order(runnable: Generator, context: Context) -> None:
    found = list(every_question(runnable, CORPUS, context))
    assert [q.row for q in found] == sorted(q.row for q in found)
    assert {q.row for q in found} == {0, 1, 2}


def test_only_what_is_asked_of_a_host_is_paid(generator: Generator) -> None:
    assert generator.paid == (generator.name() == "chat")
