"""What `harness list` prints; which libraries it leaves alone is in `test_cli.py`."""

from pathlib import Path

import pytest

from harness.cli.listing import ROOMS, listed


def sections(kind: str | None, data: list[Path], cache: Path, rows: Path | None = None) -> dict[str, dict[str, str]]:
    """Title → name → summary."""
    found = {}
    for sheet in listed(kind, data, cache, rows):
        names, words = sheet.fields
        found[sheet.title] = dict(zip(names.values, words.values, strict=True))
    return found


def test_everything_has_a_section_and_every_item_its_line(tmp_path: Path) -> None:
    printed = sections(None, [], tmp_path)
    assert next(iter(printed)) == "rows"
    assert list(printed)[-2:] == ["dataset sources", "datasets on this machine"]
    for name, room in ROOMS.items():
        lines = printed["dataset sources" if name == "datasets" else name]
        assert list(lines) == room.names()
        assert all(len(words.split()) > 2 for words in lines.values())
    assert "stdlib/code" in printed["datasets on this machine"]


@pytest.mark.parametrize("kind", ["rows", *ROOMS])
def test_one_kind_alone(kind: str, tmp_path: Path) -> None:
    titles = list(sections(kind, [], tmp_path))
    assert titles == ([kind] if kind != "datasets" else ["dataset sources", "datasets on this machine"])


def test_a_recipe_says_what_it_needs(tmp_path: Path) -> None:
    printed = sections("recipes", [], tmp_path)["recipes"]
    assert printed["gpl"].endswith("Needs: generator, teacher.")
    assert printed["tsdae"].endswith("Needs: only the corpus.")


def test_rows_of_a_table_are_listed(tmp_path: Path) -> None:
    path = tmp_path / "rows.toml"
    path.write_text('[rows]\nmine = "bm25(k1=2)"\n')
    assert sections("rows", [], tmp_path, path)["rows of your own"] == {"mine": "bm25(k1=2)"}


def test_a_collection_in_a_data_folder_is_at_hand(tmp_path: Path) -> None:
    place = tmp_path / "data" / "beir" / "mine"
    (place / "qrels").mkdir(parents=True)
    (place / "corpus.jsonl").write_text('{"_id": "d", "title": "", "text": "t"}\n', encoding="utf-8")
    (place / "queries.jsonl").write_text('{"_id": "q", "text": "t"}\n', encoding="utf-8")
    (place / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq\td\t1\n", encoding="utf-8")
    found = sections("datasets", [tmp_path / "data"], tmp_path / "cache")
    assert "beir/mine" in found["datasets on this machine"]
