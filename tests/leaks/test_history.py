"""What a model was taught goes with it, and is not made up where it is not known."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.base.errors import ModelError
from harness.leaks.history import (
    _REPORT,
    BESIDE,
    INSIDE,
    TrainedQuery,
    history,
    read_history,
    read_texts,
    text_hash,
    together,
    trained_here,
    write_history,
    write_texts,
)
from harness.training.lesson import REPORT
from harness.training.trained_models import MODEL

SOME = (
    TrainedQuery("gold", "what is a quagga", ("d1", "d2")),
    TrainedQuery("generated", "zebras of the steppe", ("d3",)),
)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    place = tmp_path / "key" / MODEL
    place.mkdir(parents=True)
    return place


def copied(model: Path, place: Path) -> Path:
    """The model's folder alone, as somebody else gets it."""
    shutil.copytree(model, place)
    return place


def test_it_comes_back_as_it_was_kept(model: Path) -> None:
    held = history(SOME)
    write_history(model, held)
    assert read_history(model) == read_texts(model.parent) == held
    assert held.whole
    assert held.texts


def test_a_text_stands_once_of_each_kind_with_all_its_documents() -> None:
    again = TrainedQuery("gold", "what is a quagga", ("d0",))
    silver = TrainedQuery("silver", "what is a quagga", ("d9",))
    held = history([*SOME, again, silver])
    assert [(t.kind, t.documents) for t in held.queries if "quagga" in t.text] == [
        ("gold", ("d0", "d1", "d2")),
        ("silver", ("d9",)),
    ]


def test_the_same_is_the_same_bytes(model: Path) -> None:
    write_history(model, history(SOME))
    before = [(model / INSIDE).read_bytes(), (model.parent / BESIDE).read_bytes()]
    write_history(model, history(reversed(SOME)))
    assert [(model / INSIDE).read_bytes(), (model.parent / BESIDE).read_bytes()] == before


def test_the_folder_alone_gives_no_text_away_and_still_knows_copies(model: Path, tmp_path: Path) -> None:
    write_history(model, history(SOME))
    alone = copied(model, tmp_path / "given")
    assert not [file for file in alone.iterdir() if b"quagga" in gzip.decompress(file.read_bytes())]
    held = read_history(alone)
    assert held is not None
    assert (held.queries, held.texts, held.whole) == ((), False, True)
    assert held.hashes["gold"] == {text_hash("What is a QUAGGA?")}


def test_texts_that_lie_beside_by_chance_are_not_its_own(model: Path, tmp_path: Path) -> None:
    write_history(model, history(SOME))
    alone = copied(model, tmp_path / "given")
    write_texts(alone.parent, history([TrainedQuery("gold", "of another model")]))
    held = read_history(alone)
    assert held is not None
    assert held.queries == ()


def test_a_model_stands_on_what_others_were_taught(model: Path, tmp_path: Path) -> None:
    write_history(model, history(SOME[:1]))
    held = together(history(SOME[1:]), [model, model, tmp_path])
    assert held == history(SOME)
    write_texts(tmp_path, held)
    assert read_texts(tmp_path) == held


def test_of_a_base_without_its_texts_the_hashes_are_handed_on(model: Path, tmp_path: Path) -> None:
    write_history(model, history(SOME[:1]))
    held = together(history(SOME[1:]), [copied(model, tmp_path / "given")])
    assert held.queries == SOME[1:]
    assert held.hashes["gold"] == {text_hash(SOME[0].text)}
    assert not held.texts
    other = tmp_path / "other" / MODEL
    other.mkdir(parents=True)
    write_history(other, held)
    assert read_history(other) == held


def test_what_is_not_known_is_not_nothing(model: Path) -> None:
    assert not trained_here(model)
    assert together(history(SOME), [model]).whole  # of the hub: nothing to know
    (model.parent / REPORT).write_text("{}")
    assert trained_here(model)
    assert read_history(model) is None
    assert not together(history(SOME), [model]).whole
    assert not together(None, []).whole
    assert read_texts(model.parent) is None


def test_a_copied_folder_is_known_by_its_card(model: Path, tmp_path: Path) -> None:
    from harness.recipes.qgen import QGen
    from harness.training import card
    from harness.training.lesson import Report

    card.write(model, QGen(), "base", Report(1, 1, 1.0, 1.0, {}, "fp32", "cpu"), 0, "revision")
    assert trained_here(copied(model, tmp_path / "given"))
    assert not trained_here(tmp_path / "nowhere")


@pytest.mark.parametrize(
    "bytes_",
    [b"", b"no gzip", gzip.compress(b"{", mtime=0), gzip.compress(b"[]", mtime=0), gzip.compress(b"{}", mtime=0)],
)
def test_a_damaged_file_is_named(model: Path, bytes_: bytes) -> None:
    write_history(model, history(SOME))
    (model / INSIDE).write_bytes(bytes_)
    with pytest.raises(ModelError, match=rf"{INSIDE}, the training history of the model, cannot be read"):
        read_history(model)
    (model.parent / BESIDE).write_bytes(bytes_)
    with pytest.raises(ModelError, match=f"{BESIDE}, the training history"):
        read_texts(model.parent)


def test_neither_file_is_part_of_what_the_model_computes(model: Path) -> None:
    from harness.models.files import deciding_files

    write_history(model, history(SOME))
    assert (model / INSIDE).is_file()
    assert not [path.name for path in deciding_files(model) if path.name in (BESIDE, INSIDE)]
    assert _REPORT == REPORT


@given(
    st.lists(st.tuples(st.sampled_from(["gold", "dev", "silver"]), st.text(max_size=9), st.lists(st.text(max_size=3))))
)
def test_any_text_comes_back(
    tmp_path_factory: pytest.TempPathFactory, taught: list[tuple[str, str, list[str]]]
) -> None:
    folder = tmp_path_factory.mktemp("any")
    held = history(TrainedQuery(kind, text, tuple(documents)) for kind, text, documents in taught)  # type: ignore[arg-type]
    write_texts(folder, held)
    assert read_texts(folder) == held
