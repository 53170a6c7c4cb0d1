import json
import re
from urllib.parse import urlsplit

import pytest

from harness.endpoints.prices import FILE, Price, price


def test_tokens_cost_what_the_price_says() -> None:
    assert Price(2.0, 10.0, "x").dollars(500_000, 100_000) == 2.0


def test_a_listed_price_has_its_source_and_date() -> None:
    found = price("https://api.openai.com/v1", "text-embedding-3-small")
    assert found is not None
    assert found.tokens_in == 0.02
    assert re.fullmatch(r"https://\S+ \(2026-\d\d(-\d\d)?\)", found.source)


def test_the_same_model_elsewhere_has_no_price() -> None:
    for url in (
        "https://me.openai.azure.com/openai/v1",
        "http://localhost:11434/v1",
        "https://api.openai.com.evil.example/v1",
    ):
        assert price(url, "text-embedding-3-small") is None
    assert price("https://api.openai.com/v1", "of-nobody") is None


def test_settings_go_before_the_list() -> None:
    assert price("http://localhost/v1", "m", 1.0, 2.0) == Price(1.0, 2.0, "settings")
    assert price("http://localhost/v1", "m", 1.0) is None  # half a price is none
    half = price("https://api.openai.com/v1", "gpt-4o-mini", tokens_in=9.0)
    assert half is not None
    assert (half.tokens_in, half.tokens_out) == (9.0, 0.60)


@pytest.mark.parametrize("host", list(json.loads(FILE.read_text(encoding="utf-8"))["hosts"]))
def test_every_entry_is_whole(host: str) -> None:
    held = json.loads(FILE.read_text(encoding="utf-8"))
    assert urlsplit(f"https://{host}").hostname == host
    for model, entry in held["hosts"][host].items():
        assert 0 < entry["in"] <= entry.get("out", 100) < 1000, model
        source = held["sources"][entry["source"]]
        assert source["url"].startswith("https://")
        assert re.fullmatch(r"\d{4}-\d\d(-\d\d)?", source["date"])
