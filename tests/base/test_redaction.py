"""A key is struck out of reports in every form; words and data are left alone."""

from __future__ import annotations

import base64
import json
import logging
import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.base.errors import SettingError
from harness.base.redaction import STRUCK, check_name, holds, redact_log, redacted, remember, struck, telling

SECRET = "sk-Ab/9+x_'\"z=10"


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        urllib.parse.quote(SECRET, safe=""),
        urllib.parse.quote_plus(SECRET),
        json.dumps(SECRET)[1:-1],
        SECRET.encode().hex(),
        base64.b64encode(SECRET.encode()).decode().rstrip("=")[:-1],
        "".join(f"\\u{ord(c):04x}" for c in SECRET),
        SECRET.upper(),
        SECRET.lower(),
        urllib.parse.quote(SECRET, safe="").lower(),
        urllib.parse.quote(urllib.parse.quote(SECRET, safe="")),
        urllib.parse.quote(urllib.parse.quote(urllib.parse.quote(SECRET.upper(), safe=""))),
        urllib.parse.quote("".join(f"%{byte:02x}" for byte in SECRET.encode())),
    ],
)
def test_every_form_is_struck(form: str) -> None:
    assert struck(f"bad key {form}!", SECRET) == f"bad key {STRUCK}!"
    assert holds(f"bad key {form}!", SECRET)


@given(
    st.binary(max_size=20), st.binary(max_size=20), st.text("abcXYZ0189-_/+", min_size=12, max_size=50).filter(telling)
)
def test_base64_of_a_longer_text_hides_no_key(before: bytes, after: bytes, secret: str) -> None:
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        text = encode(before + secret.encode() + after).decode()
        assert holds(text, secret)
        assert not holds(struck(text, secret), secret)


def test_a_message_that_is_cut_in_the_middle_of_the_key_shows_no_part_of_it() -> None:
    assert struck(f"bad key {SECRET[:-3]}", SECRET) == f"bad key {STRUCK}"
    assert struck(f"BAD KEY {SECRET[:-3].upper()}", SECRET) == f"BAD KEY {STRUCK}"


@pytest.mark.parametrize("word", ["test", "none", "password", "changeme", "12345678", ""])
def test_a_word_is_no_telling_key(word: str) -> None:
    assert not telling(word)
    assert not holds(f"a {word} b", word)


def test_of_a_word_whole_words_are_struck_from_a_servers_message() -> None:
    assert struck("key test is no key of testers", "test") == "key *** is no key of testers"


def test_a_report_is_rid_of_the_keys_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "abc-123-def-456")
    monkeypatch.setenv("OTHER_TOKEN", "test")
    monkeypatch.setenv("ENDPOINT_API_KEY", "retrieval")
    monkeypatch.setenv("MINE", "ghi-789-jkl")
    report = json.dumps({"problem": "sent abc-123-def-456 and ghi-789-jkl", "dataset": "retrieval/test"})
    assert json.loads(redacted(report)) == {"problem": "sent *** and ghi-789-jkl", "dataset": "retrieval/test"}
    assert redacted("sent ABC-123-DEF-456") == "sent ***"
    remember("MINE")
    assert json.loads(redacted(report))["problem"] == "sent *** and ***"


def test_a_log_is_rid_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "abc-123-def-456")
    record = logging.LogRecord("harness", logging.WARNING, "", 1, "%s says %s", ("it", "abc-123-def-456"), None)
    assert redact_log(record)
    assert record.getMessage() == "it says ***"
    other = logging.LogRecord("harness", logging.WARNING, "", 1, "%s says %s", ("it", "so"), None)
    assert redact_log(other)
    assert (other.msg, other.args) == ("%s says %s", ("it", "so"))


@pytest.mark.parametrize("name", ["folder/data-{}/test", "run/{}.trec"])
def test_a_name_that_holds_a_key_is_refused_without_a_word_of_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-0123456789abc")
    told = "the name of a dataset contains the key in the environment variable OPENAI_API_KEY"
    with pytest.raises(SettingError, match=told) as caught:
        check_name(name.format("sk-0123456789abc"), "dataset")
    assert "0123456789abc" not in str(caught.value)
    check_name(name.format("sk-0123456789ab"), "dataset")


def test_a_short_or_common_value_may_be_part_of_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_PASSWORD", "secretword1")
    monkeypatch.setenv("PLAIN", "sk-0123456789abcdef")
    check_name("folder/secretword1/sk-0123456789abcdef", "dataset")
