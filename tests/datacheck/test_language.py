"""Notes on documents that the default analyser and encoder do not suit."""

import itertools

import pytest

from harness.datacheck import language
from harness.datacheck.findings import Findings
from harness.datacheck.language import KEPT, Sample, check_language

TEXTS = {
    "english": "The wing of the aircraft was in the flow and it had a lift that is not known to us or to them.",
    "german": "Der Hund lief über die Straße und das Kind sah ihm nach, weil es nicht wusste, was er wollte.",
    "french": "Le chien a traversé la rue et les enfants ont vu que nous ne savions pas ce qu'il voulait.",
    "russian": "Собака перешла через дорогу, и дети не знали, что она хотела и как её зовут, но они ей были рады.",
    "japanese": "犬は道を渡り、子供たちはそれを見ていました。",
    "code": "def encode(texts, model): result = numpy.zeros(len(texts)); return model.forward(result, axis=1)",
    "numbers": "12 34 56 78",
}


def notes(*texts):
    findings = Findings()
    check_language(texts, findings)
    return [(found.code, found.message) for found in findings.closed()]


@pytest.mark.parametrize("name", ["english", "code", "numbers"])
def test_nothing_is_said_of_english_and_of_code(name):
    assert notes(*[TEXTS[name]] * 5) == []


@pytest.mark.parametrize("name", ["german", "french", "russian"])
def test_a_language_with_an_analyser_is_named(name):
    ((code, message),) = notes(*[TEXTS[name]] * 5)
    assert code == "language"
    assert f'bm25(analyzer=snowball(language="{name}"))' in message
    assert "multilingual" in message


def test_a_language_without_spaces():
    ((code, message),) = notes(TEXTS["japanese"], TEXTS["english"][:20])
    assert code == "language-cjk"
    assert "bm25(analyzer=cjk)" in message


def test_without_stop_words_the_script_is_seen(monkeypatch):
    monkeypatch.setattr(language, "_language", lambda texts: None)
    ((code, message),) = notes(TEXTS["russian"])
    assert code == "language-script"
    assert "languages" in message
    assert notes(TEXTS["german"]) == []


def test_no_text_has_no_language():
    assert notes() == []


def test_a_sample_is_of_the_whole_stream():
    sample = Sample()
    for number in range(10_000):
        sample.add(str(number))
    assert KEPT <= len(sample.texts) < 2 * KEPT
    numbers = [int(text) for text in sample.texts]
    steps = {after - before for before, after in itertools.pairwise(numbers)}
    assert len(steps) == 1
    assert numbers[0] == 0
    assert numbers[-1] > 9_900
