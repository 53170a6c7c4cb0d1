import pytest

from harness.base.errors import SettingError
from harness.endpoints.address import host, is_encrypted, is_inside, is_local


def test_which_addresses_are_this_machines_own() -> None:
    for url in ("http://localhost:1/v1", "http://127.0.0.9/v1", "http://[::1]:8/v1", "https://a.localhost/"):
        assert is_local(url)
    for url in ("http://localhost.example.com/v1", "https://10.0.0.1/v1", "https://api.openai.com/v1"):
        assert not is_local(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "host/v1",
        "ftp://host",
        "https://",
        "https://me:key@host/",
        "http://[::1/v1",
        "http://h:x/",
        "https://h/v1?key=1",
    ],
)
def test_what_is_no_address_or_holds_a_key_is_refused(url: str) -> None:
    with pytest.raises(SettingError, match=r"^who: url must"):
        is_local(url, "who")


def test_the_host_of_an_address() -> None:
    assert host("https://API.OpenAI.com/v1") == "api.openai.com"
    assert host("nothing") == host("http://[::1/") == ""


def test_which_addresses_are_of_a_private_network() -> None:
    for url in (
        "http://10.0.0.1/v1",
        "http://192.168.1.2:8000/v1",
        "http://[fd00::1]/v1",
        "http://vllm:8000/v1",
        "http://gpu.lan/",
    ):
        assert is_inside(url)
    for url in ("http://8.8.8.8/v1", "http://models.example/v1", "http://10.0.0.1.example/v1", "nothing"):
        assert not is_inside(url)


def test_which_addresses_are_encrypted() -> None:
    assert is_encrypted("HTTPS://models.example/v1")
    assert not is_encrypted("http://models.example/v1")
