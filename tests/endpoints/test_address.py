import pickle

import pytest

from harness.endpoints.address import Key, host, is_local
from harness.errors import SettingError, Unavailable

SECRET = "sk-secret-1234567890"


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> Key:
    monkeypatch.setenv("MY_KEY", f" {SECRET}\n")
    return Key("api", "https://models.example/v1", "MY_KEY")


def test_which_addresses_are_this_machines_own() -> None:
    for url in ("http://localhost:1/v1", "http://127.0.0.9/v1", "http://[::1]:8/v1", "https://a.localhost/"):
        assert is_local(url)
    for url in ("http://localhost.example.com/v1", "https://10.0.0.1/v1", "https://api.openai.com/v1"):
        assert not is_local(url)


@pytest.mark.parametrize(
    "url",
    ["", "host/v1", "ftp://host", "https://", "https://me:key@host/", "http://[::1/v1", "http://h:x/", "https://h/v1?key=1"],
)
def test_what_is_no_address_or_holds_a_key_is_refused(url: str) -> None:
    with pytest.raises(SettingError, match=r"^who: url must"):
        is_local(url, "who")


def test_the_host_of_an_address() -> None:
    assert host("https://API.OpenAI.com/v1") == "api.openai.com"
    assert host("nothing") == host("http://[::1/") == ""


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
