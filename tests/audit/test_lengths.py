"""Documents that an encoder cuts, counted as the model's own tokenizer counts them, without the model."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.audit import lengths as module
from harness.audit.lengths import lengths_of
from harness.base.errors import SettingError
from harness.data.corpus import Corpus
from harness.models.encoder import open_encoder
from harness.models.probe import truncation
from harness.models.settings import EncoderSettings
from harness.runtime.context import Context


def test_documents_are_counted_as_by_the_loaded_model(tiny_encoder: Path, context: Context) -> None:
    corpus = Corpus.of([(str(i), "", "bab " * i) for i in range(1, 90)])
    found = lengths_of(corpus, f'dense(model="{tiny_encoder}")', context)
    expected = truncation(open_encoder(EncoderSettings(model=str(tiny_encoder)), context), corpus.texts, "document")
    assert found is not None
    assert expected is not None
    assert (found.limit, found.cut, found.lost) == (expected.limit, expected.cut, pytest.approx(expected.lost))
    assert not found.sampled
    assert "are longer than the 64 tokens that dense(" in str(found)
    assert 'chunked(dense(model="' in str(found)


def test_a_shorter_length_of_the_row_counts(tiny_encoder: Path, context: Context) -> None:
    corpus = Corpus.of([("a", "", "bab"), ("b", "", "bab " * 40)])
    rows = [f'dense(model="{tiny_encoder}", max_length={length})' for length in (8, 64)]
    found = [lengths_of(corpus, row, context) for row in rows]
    assert [each.limit for each in found if each] == [8, 64]
    assert found[0] is not None
    assert found[0].cut == 1


def test_a_large_corpus_is_sampled(tiny_encoder: Path, context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SAMPLE", 10)
    found = lengths_of(Corpus.of([(str(i), "", "bab") for i in range(50)]), f'dense(model="{tiny_encoder}")', context)
    assert found is not None
    assert (found.documents, found.cut, found.sampled) == (10, 0, True)
    assert str(found).endswith("0 of 10 sampled documents (0%) are longer than the 64 tokens that dense("
                               f'model="{tiny_encoder}") reads.')


def test_a_row_without_an_encoder_is_refused(context: Context) -> None:
    with pytest.raises(SettingError, match="bm25 has no encoder; name a row that has one, as dense"):
        lengths_of(Corpus.of([("a", "", "x")]), "bm25", context)


def test_a_model_without_a_tokenizers_file_says_nothing(tmp_path: Path, context: Context) -> None:
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    assert lengths_of(Corpus.of([("a", "", "x")]), f'dense(model="{tmp_path}")', context) is None
