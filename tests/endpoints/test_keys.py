"""A key shows nothing of itself, and goes to its own service, encrypted, or where its owner says."""

from __future__ import annotations

import logging
import pickle

import pytest

from harness.base.errors import SettingError, Unavailable
from harness.endpoints.keys import OWNERS, Key, check
from harness.endpoints.providers import _PROVIDERS, provider
from harness.endpoints.service import Service
from harness.generators.chat import Chat
from harness.methods.api import API
from harness.methods.listwise import Listwise
from harness.methods.query2doc import Query2Doc

SECRET = "sk-secret-1234567890"


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> Key:
    monkeypatch.setenv("MY_KEY", f" {SECRET}\n")
    return Key("api", "https://models.example/v1", "MY_KEY")


def test_a_key_shows_nothing_of_itself(key: Key) -> None:
    assert key.reveal() == SECRET
    assert SECRET not in f"{key} {key!r} {vars(key)} {key.__dict__!r}"
    assert str(key) == "the key in MY_KEY"
    assert key.hidden(f"bad {SECRET}, {SECRET}") == "bad ***, ***"
    with pytest.raises((AttributeError, TypeError, pickle.PicklingError)):
        pickle.dumps(key)


def test_a_key_is_needed_elsewhere_and_not_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MY_KEY", raising=False)
    with pytest.raises(Unavailable, match="MY_KEY is not set"):
        Key("api", "https://models.example/v1", "MY_KEY")
    here = Key("api", "http://localhost:8080/v1", "MY_KEY")
    assert not here
    assert here.hidden("as it is") == "as it is"
    assert str(here) == "a request without a key (MY_KEY is not set)"


def test_what_no_header_can_carry_is_refused_unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "sk\nx")
    with pytest.raises(SettingError, match="cannot be sent") as told:
        Key("api", "http://localhost/v1", "MY_KEY")
    assert "sk" not in str(told.value)


@pytest.mark.parametrize(
    "variable", ["OPENAI_API_KEY", "AZURE_OPENAI_API_KEY", "CO_API_KEY", "HF_TOKEN", "AWS_SECRET_ACCESS_KEY"]
)
@pytest.mark.parametrize(
    "url",
    [
        "https://models.example/v1",
        "https://api.openai.com.models.example/v1",
        "https://xapi.openai.com/v1",
        "https://10.0.0.1/v1",
        "https://openai.azure.com.example/",
    ],
)
def test_the_key_of_a_service_goes_to_no_other(variable: str, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, SECRET)
    with pytest.raises(SettingError, match=f"the key in {variable} is not sent to .*ENDPOINT_API_KEY"):
        Key("api", url, variable)
    for made in (API, Chat, Listwise, Query2Doc):
        with pytest.raises(SettingError, match="is not sent to"):
            made(model="m", url=url, key_variable=variable)


@pytest.mark.parametrize(
    ("variable", "url"),
    [
        ("OPENAI_API_KEY", "https://api.openai.com/v1"),
        ("OPENAI_API_KEY", "https://eu.api.openai.com/v1"),
        ("OPENAI_API_KEY", "http://localhost:4000/v1"),
        ("AZURE_OPENAI_API_KEY", "https://me.openai.azure.com/openai/v1"),
        ("MY_KEY", "https://models.example/v1"),
        ("ENDPOINT_API_KEY", "http://10.0.0.1:8000/v1"),
    ],
)
def test_a_key_goes_to_its_service_and_to_this_machine(
    variable: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, SECRET)
    assert Key("api", url, variable).reveal() == SECRET


@pytest.mark.parametrize("made", [API, Chat, Listwise, Query2Doc])
def test_by_default_openais_key_is_for_openai_and_for_nobody_else(made: type) -> None:
    def variable(**settings: str) -> str:
        value = made(**settings)
        return str((value._service() if made is Chat else value.service()).variable)

    assert variable(model="m", url="https://models.example/v1") == "ENDPOINT_API_KEY"
    assert variable(model="gpt-4o-mini") == "OPENAI_API_KEY"


def test_every_known_host_takes_the_key_that_is_its_own() -> None:
    for named in [*_PROVIDERS, "me.openai.azure.com"]:
        variable = provider(f"https://{named}/v1").key_variable
        assert variable in OWNERS
        check("api", f"https://{named}/v1", variable)


@pytest.mark.parametrize(
    ("variable", "url"),
    [
        ("MY_KEY", "http://models.example/v1"),
        ("OPENAI_API_KEY", "http://api.openai.com/v1"),
        ("MY_KEY", "http://8.8.8.8/v1"),
    ],
)
def test_no_key_is_sent_in_the_open(variable: str, url: str) -> None:
    with pytest.raises(SettingError, match="without encryption: url must begin with https://"):
        Service("api", "m", url, key_variable=variable).check()


def test_within_a_private_network_it_is_told(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setenv("MY_KEY", SECRET)
    with caplog.at_level(logging.WARNING):
        Key("api", "http://10.0.0.1/v1", "MY_KEY")
        Key("api", "http://127.0.0.1/v1", "MY_KEY")
    (told,) = caplog.messages
    assert told.startswith("api: the key in MY_KEY is sent to 10.0.0.1 without encryption")


@pytest.mark.parametrize(
    "path", [SECRET, "c2stc2VjcmV0LTEyMzQ1Njc4OTA", "%73%6B%2D%73%65%63%72%65%74%2D%31%32%33%34%35%36%37%38%39%30"]
)
@pytest.mark.parametrize("base", ["https://models.example", "http://localhost:8000"])
def test_a_key_in_the_path_of_an_address_is_refused_unseen(
    path: str, base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENDPOINT_API_KEY", SECRET)
    with pytest.raises(SettingError, match="url contains the key in ENDPOINT_API_KEY") as told:
        API(model="m", url=f"{base}/{path}/v1")
    assert path not in str(told.value)


def test_a_key_that_is_a_common_word_may_stand_in_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENDPOINT_API_KEY", "models")
    assert API(model="m", url="https://models.example/v1").url == "https://models.example/v1"
