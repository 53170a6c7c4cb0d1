"""What `harness list` prints; which libraries it leaves alone is in `test_cli.py`."""

from pathlib import Path

import pytest

from harness.cli.listing import ROOMS, show


def sections(text: str) -> dict[str, list[str]]:
    """Title → its lines."""
    found: dict[str, list[str]] = {}
    title = ""
    for line in text.splitlines():
        if line.startswith("  "):
            found[title].append(line.strip())
        else:
            title = line
            found[title] = []
    return found


def test_everything_has_a_section_and_every_item_its_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    show(None, [], tmp_path)
    printed = sections(capsys.readouterr().out)
    assert next(iter(printed)) == "rows"
    assert list(printed)[-2:] == ["dataset sources", "datasets on this machine"]
    for name, room in ROOMS.items():
        lines = printed["dataset sources" if name == "datasets" else name]
        assert [line.split()[0] for line in lines] == room.names()
        assert all(len(line.split()) > 3 for line in lines)
    assert "stdlib/code" in printed["datasets on this machine"]


@pytest.mark.parametrize("kind", ["rows", *ROOMS])
def test_one_kind_alone(kind: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    show(kind, [], tmp_path)
    titles = list(sections(capsys.readouterr().out))
    assert titles == ([kind] if kind != "datasets" else ["dataset sources", "datasets on this machine"])


def test_a_recipe_says_what_it_needs(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    show("recipes", [], tmp_path)
    printed = {line.split()[0]: line for line in sections(capsys.readouterr().out)["recipes"]}
    assert printed["gpl"].endswith("Needs: generator, teacher.")
    assert printed["tsdae"].endswith("Needs: only the corpus.")


def test_a_collection_in_a_data_folder_is_at_hand(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    place = tmp_path / "data" / "beir" / "mine"
    (place / "qrels").mkdir(parents=True)
    (place / "corpus.jsonl").write_text('{"_id": "d", "title": "", "text": "t"}\n', encoding="utf-8")
    (place / "queries.jsonl").write_text('{"_id": "q", "text": "t"}\n', encoding="utf-8")
    (place / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq\td\t1\n", encoding="utf-8")
    show("datasets", [tmp_path / "data"], tmp_path / "cache")
    assert "beir/mine" in sections(capsys.readouterr().out)["datasets on this machine"]
