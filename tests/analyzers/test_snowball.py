"""Words of European and other languages, stemmed by Snowball."""

import pytest
import Stemmer
import stop_words
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.analyzers import snowball
from harness.analyzers.snowball import Snowball
from harness.analyzers.standard import Standard
from harness.base.errors import Unavailable

# Words and stems as the Snowball project lists them for each language.
STEMS = {
    "danish": ("undersøgelserne", "undersøg"),
    "dutch": ("lichamelijkheden", "lichamelijk"),
    "finnish": ("edeltäjiinsä", "edeltäj"),
    "french": ("continuellement", "continuel"),
    "german": ("aufeinanderfolgenden", "aufeinanderfolg"),
    "italian": ("pronunciamento", "pronunc"),
    "norwegian": ("havnedistriktene", "havnedistrikt"),
    "portuguese": ("quilométricas", "quilométr"),
    "russian": ("важнейшими", "важн"),
    "spanish": ("cheques", "chequ"),
    "swedish": ("jaktkarlarne", "jaktkarl"),
}


@pytest.mark.parametrize("language", STEMS)
def test_stems(language):
    word, stem = STEMS[language]
    assert Snowball(language)(word.upper()) == [stem]
    assert Snowball(language, stem=False)(word) == [word]


@pytest.mark.parametrize("language", snowball.Language.__args__)
def test_every_language_has_stems_and_stop_words(language):
    word = next(word for word in stop_words.get_stop_words(language) if word.isalpha())
    assert Snowball(language)(word) == []
    assert Snowball(language, stop=False, stem=False)(word) == Standard()(word)
    assert language in Stemmer.algorithms()


def test_an_article_before_an_apostrophe_is_no_part_of_the_word():
    assert Snowball("french", stem=False)("L'avion qu\u2019elle aujourd'hui d'Orléans") == [
        *("avion", "aujourd'hui", "orléans")
    ]
    assert Snowball("italian", stem=False)("dell'arte sull’acqua") == ["arte", "acqua"]
    assert Snowball("german", stem=False)("l'avion") == ["l'avion"]


def test_a_turkish_capital_i_has_no_dot():
    assert Snowball("turkish", stop=False, stem=False)("IŞIK İSTANBUL") == ["ışık", "istanbul"]
    assert Snowball("german", stop=False, stem=False)("ISLAND") == ["island"]


def test_other_releases_of_the_libraries_are_refused(monkeypatch):
    monkeypatch.setattr(snowball.metadata, "version", lambda name: "1.0")
    snowball._term_of.cache_clear()
    with pytest.raises(Unavailable, match=r"PyStemmer 1\.0 may have other stems"):
        Snowball("german")("Haus")
    snowball._term_of.cache_clear()


@settings(deadline=None)
@given(st.text(), st.sampled_from(snowball.Language.__args__))
def test_no_stop_words_and_no_stems_is_standard(text, language):
    if language in snowball._ARTICLES or language == "turkish":
        return
    assert Snowball(language, stop=False, stem=False)(text) == Standard()(text)
