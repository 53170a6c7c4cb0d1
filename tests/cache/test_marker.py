"""A cache folder is marked as ours; a folder that others use is not, and is refused."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

import pytest

from harness.base.errors import CacheError
from harness.cache.folders import Cache
from harness.cache.marker import LAYOUT, MARKER, check, layout, mark, strangers

KEY = hashlib.md5(b"a", usedforsecurity=False).hexdigest()


def old_cache(root: Path) -> Path:
    """As earlier versions left one: entries, something half-built, and the folders besides, without a mark."""
    for name in (
        f"corpora/{KEY}",
        f"models/{KEY}/model/1_Pooling",
        f"bm25/.{KEY}.x.part",
        "data/beir/scifact",
        "downloads",
        "locks",
    ):
        (root / name).mkdir(parents=True)
    (root / "hashes").mkdir()
    (root / "hashes" / f"{KEY}.json").write_text("{}")
    (root / "hashes" / f".{KEY}.json.1.part").write_text("")
    (root / "locks" / "beir-scifact.lock").write_text("")
    (root / "jobs").mkdir()
    (root / "jobs" / "a job.json").write_text("{}")
    for entry in root.glob(f"*/{KEY}"):
        (entry / "meta.json").write_text(f'{{"kind": "{entry.parent.name}", "key": "{KEY}"}}')
    return root


def test_a_new_cache_is_marked_by_the_words_that_backup_programs_know(tmp_path: Path) -> None:
    Cache(tmp_path / "new")
    text = (tmp_path / "new" / MARKER).read_bytes()
    assert text.startswith(b"Signature: 8a477f597d28d172789f06886806bc55\n#")
    assert layout(tmp_path / "new") == LAYOUT
    check(tmp_path / "new")


def test_an_old_cache_gets_the_mark_when_it_is_opened_or_looked_after(tmp_path: Path) -> None:
    Cache(old_cache(tmp_path / "one"))
    check(old_cache(tmp_path / "two"))
    assert layout(tmp_path / "one") == layout(tmp_path / "two") == LAYOUT


@pytest.mark.parametrize(
    "other",
    [
        "Documents/letter.txt",
        "models/llama/weights.bin",
        f"own/{KEY}/x",
        f"corpora/{KEY[:31]}/x",
        ".bashrc",
        "results/a.json",
    ],
)
def test_a_folder_that_others_use_gets_no_mark_and_is_refused_by_name(tmp_path: Path, other: str) -> None:
    root = old_cache(tmp_path / "home")
    (root / other).parent.mkdir(parents=True, exist_ok=True)
    (root / other).write_text("mine")
    Cache(root)
    named = "/".join(Path(other).parts[: 2 if other.startswith(("models", "corpora")) else 1])
    with pytest.raises(CacheError, match=rf"\({re.escape(named)}\)\. Nothing was changed. Name the cache's own folder"):
        check(root)
    assert not (root / MARKER).exists()


def test_links_are_of_others_wherever_they_lead(tmp_path: Path) -> None:
    root = old_cache(tmp_path / "root")
    (tmp_path / "elsewhere").mkdir()
    for name in ("sparse", f"corpora/{'b' * 32}"):
        (root / name).symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    assert sorted(str(path.relative_to(root)) for path in strangers(root)) == [f"corpora/{'b' * 32}", "sparse"]
    with pytest.raises(CacheError):
        check(root)


def test_a_file_where_a_folder_of_ours_belongs_is_of_others(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file")
    assert [path.name for path in strangers(tmp_path)] == ["models"]


def test_the_mark_of_another_program_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / MARKER).write_text("Signature: 8a477f597d28d172789f06886806bc55\n# This folder is a cache of uv.\n")
    Cache(tmp_path)
    assert "uv" in (tmp_path / MARKER).read_text()
    with pytest.raises(CacheError, match=rf"\({MARKER}\)\. Nothing"):
        check(tmp_path)


def test_a_mark_that_is_a_link_is_none(tmp_path: Path) -> None:
    Cache(tmp_path / "cache")
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / MARKER).symlink_to(tmp_path / "cache" / MARKER)
    assert layout(tmp_path / "home") is None


def test_a_cache_of_a_later_version_is_refused(tmp_path: Path) -> None:
    Cache(tmp_path)
    text = (tmp_path / MARKER).read_text()
    (tmp_path / MARKER).write_text(text.replace(f"layout {LAYOUT}", f"layout {LAYOUT + 1}"))
    with pytest.raises(CacheError, match=f"layout {LAYOUT + 1}; this one uses {LAYOUT}"):
        check(tmp_path)


def test_a_root_that_is_a_link_is_the_folder_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "disk", target_is_directory=True)
    Cache(tmp_path / "link")
    check(tmp_path / "link")
    assert layout(tmp_path / "disk") == LAYOUT


def test_what_came_later_into_a_marked_cache_takes_nothing_from_its_mark(tmp_path: Path) -> None:
    Cache(tmp_path)
    (tmp_path / "results").mkdir()
    mark(tmp_path)
    check(tmp_path)
    assert layout(tmp_path) == LAYOUT


@pytest.mark.skipif(os.name == "nt", reason="Windows has no folders without permission to read")
def test_a_folder_that_cannot_be_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(folder: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("harness.cache.marker.os.scandir", refuse)
    with pytest.raises(CacheError, match=r"cannot be read \(Permission denied\); nothing was changed"):
        check(tmp_path)


def test_folders_of_another_program_with_names_like_ours_are_not_adopted(tmp_path: Path) -> None:
    """`models/<32 hexadecimal digits>` is what other tools have too: an entry of ours says its kind and key itself."""
    strange = tmp_path / "models" / ("d41d8cd9" * 4)
    strange.mkdir(parents=True)
    (strange / "weights.bin").write_text("precious")
    mark(tmp_path)
    assert layout(tmp_path) is None
    with pytest.raises(CacheError, match="Nothing was changed"):
        check(tmp_path)
    (strange / "meta.json").write_text('{"kind": "corpora", "key": "x"}')
    with pytest.raises(CacheError, match="Nothing was changed"):
        check(tmp_path)


def test_an_old_cache_that_is_only_looked_at_gets_no_mark(tmp_path: Path) -> None:
    entry = tmp_path / "models" / ("0123abcd" * 4)
    entry.mkdir(parents=True)
    (entry / "meta.json").write_text(f'{{"kind": "models", "key": "{entry.name}"}}')
    check(tmp_path, adopt=False)
    assert layout(tmp_path) is None
    check(tmp_path)
    assert layout(tmp_path) is not None
