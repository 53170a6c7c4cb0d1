"""PostgreSQL: its full text, pgvector, or both."""

from __future__ import annotations

import dataclasses
import hashlib
import platform
import re
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final, Literal

from harness.base.errors import SettingError, Unavailable
from harness.base.optional import library
from harness.choices.bounds import Count, WholeNumber
from harness.methods import _postgres_server
from harness.methods._engine_content import Asked, Content
from harness.methods._postgres_server import REMEDY, Server
from harness.methods._search_engine import EXTRA, TextAndVectors, VectorIndex

ARCHIVE: Final = "data.tar.gz"
LEAST: Final = (0, 8)
"""The first version of pgvector with iterative scans, without which an HNSW index finds at most ef_search documents."""
TERMS: Final = r"""
asked AS MATERIALIZED (
    SELECT string_agg('''' || replace(replace(lexeme, '\', '\\'), '''', '''''') || '''', ' | ')::tsquery AS terms
    FROM unnest(to_tsvector(%(config)s::regconfig, %(text)s)))"""
WORDS: Final = """
    SELECT place, {rank}(t.terms, asked.terms, %(normalization)s) AS score FROM {table} t, asked
    WHERE t.terms @@ asked.terms ORDER BY score DESC, place LIMIT %({limit})s"""
CLOSE: Final = """
    SELECT place, -(vector <#> %(vector)s) AS score FROM {table} ORDER BY vector <#> %(vector)s LIMIT %({limit})s"""
FUSED: Final = """, words AS MATERIALIZED ({words}), close AS MATERIALIZED ({close}),
ranked AS (SELECT place, row_number() OVER (ORDER BY score DESC, place) AS rank FROM words
           UNION ALL SELECT place, row_number() OVER (ORDER BY score DESC, place) FROM close)
SELECT place, sum(1::float8 / (%(rrf)s + rank)) AS score FROM ranked GROUP BY place ORDER BY score DESC, place
LIMIT %(k)s"""


@dataclass(frozen=True)
class Postgres(TextAndVectors):
    """Full text by `tsvector` with a GIN index, vectors by pgvector's inner product, both fused in SQL.

    A query is a disjunction of its lexemes, so that nothing in it is syntax. `ts_rank` is no BM25: it knows no idf and
    no average length. Without `dsn` a server of our own runs while the run lasts, and its data are kept in the cache of
    this machine. With it the index is a table in the schema `harness`, named by the content, built in one transaction
    and used again. A password comes from `PGPASSWORD` or `~/.pgpass`.

    Args: those of `TextAndVectors` and
        dsn: of a server with pgvector 0.8 or later, as "host=localhost dbname=search"; empty for our own.
        config: a text search configuration, for words, stop words and stems.
        rank: `ts_rank`, or `ts_rank_cd`, which counts how close the lexemes are to each other.
        normalization: its bits; 1 divides by 1 + log of a document's length.
        index: `hnsw` is approximate; `exact` compares every vector.
        m: neighbours of a vector in a layer of the HNSW index.
        ef_construction: candidates while neighbours are searched.
        ef_search: candidates of a query; the scan goes on until k are found.
    """

    of_a_search: ClassVar[frozenset[str]] = TextAndVectors.of_a_search | {"rank", "normalization", "ef_search", "dsn"}
    dsn: str = ""
    config: str = "english"
    rank: Literal["ts_rank", "ts_rank_cd"] = "ts_rank"
    normalization: WholeNumber = 0
    index: VectorIndex = "hnsw"
    m: Count = 16
    ef_construction: Count = 64
    ef_search: Count = 40

    def __post_init__(self) -> None:
        super().__post_init__()
        if re.search(r"password\s*=|://[^/@]*:[^/@]*@", self.dsn, re.IGNORECASE):
            raise SettingError("postgres: dsn is stored in records: leave the password out, and set PGPASSWORD.")
        if not re.fullmatch(r"[A-Za-z_][\w.]*", self.config):
            raise SettingError(f"postgres: config must name a text search configuration, not {self.config!r}.")

    def versions(self) -> dict[str, str]:
        """See `SearchEngine.versions`."""
        psycopg = library("psycopg", EXTRA)
        library("pgvector", EXTRA)
        if not self.dsn:
            return _postgres_server.versions()
        try:
            with psycopg.connect(self.dsn, connect_timeout=10) as base:
                postgres = base.info.parameter_status("server_version")
                known = base.execute("SELECT default_version FROM pg_available_extensions WHERE name = 'vector'")
                vector = known.fetchone()
        except psycopg.OperationalError as error:
            raise self.absent(self.dsn, error, "Start it, or leave dsn out.") from error
        if self.encoder_row() is None:
            return {"postgres": postgres}
        if vector is None or tuple(map(int, vector[0].split(".")[:2])) < LEAST:
            raise Unavailable(f"postgres: the server at {self.dsn} has no pgvector 0.8 or later.", REMEDY)
        return {"postgres": postgres, "pgvector": vector[0]}

    def faults(self) -> tuple[type[Exception], ...]:
        """See `SearchEngine.faults`."""
        return (library("psycopg", EXTRA).Error,)

    def approximate(self) -> bool:
        """See `SearchEngine.approximate`."""
        return self.search == "dense" and self.index == "hnsw"

    def start(self, content: Content) -> _Running:
        """See `SearchEngine.start`."""
        if self.dsn:
            return self._opened(content, None)
        # The format of the data depends on the machine; and what is in those of another's server would be run here.
        key = hashlib.sha256(f"{content.key} {platform.machine()}".encode()).hexdigest()[:32]
        content = dataclasses.replace(content, key=key)
        kept = content.folder("postgres", lambda folder: self._pack(content, folder), may_come_from_elsewhere=False)
        return self._opened(content, Server(kept / ARCHIVE))

    def _pack(self, content: Content, folder: Path) -> None:
        """Builds the index on a server of its own, and stores the server's data."""
        server = Server()
        try:
            self._opened(content, server).close()
            server.pack(folder / ARCHIVE)
        finally:
            server.close()

    def _opened(self, content: Content, server: Server | None) -> _Running:
        psycopg = library("psycopg", EXTRA)
        base = psycopg.connect(self.dsn) if server is None else server.connect(psycopg)
        try:
            return _Running(self, content, base, server)
        except BaseException:
            base.close()  # what was begun is undone
            raise

    def statement(self, table: str) -> str:
        """The query in SQL."""
        limit = "depth" if self.search == "hybrid" else "k"
        words, close = WORDS.format(rank=self.rank, table=table, limit=limit), CLOSE.format(table=table, limit=limit)
        fused = FUSED.format(words=words, close=close)
        return {"full_text": f"WITH {TERMS}{words}", "dense": close, "hybrid": f"WITH {TERMS}{fused}"}[self.search]


class _Running:
    notes = ()

    def __init__(self, method: Postgres, content: Content, base: Any, server: Server | None) -> None:
        self._method, self._base, self._server = method, base, server  # the server ends with its last row
        self.ordered = method.search == "full_text"
        table = f"harness.index_{content.key}"
        if method.encoder_row() is not None:
            base.execute("CREATE EXTENSION IF NOT EXISTS vector")
            library("pgvector.psycopg", EXTRA).register_vector(base)
        base.execute("CREATE SCHEMA IF NOT EXISTS harness")
        # One process builds, others wait; a build that fails or is killed leaves nothing behind.
        base.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (table,))
        if base.execute("SELECT to_regclass(%s)", (table,)).fetchone()[0] is None:
            _build(base, method, content, table)
        base.commit()
        base.autocommit = True
        if method.encoder_row() is not None and method.index == "hnsw":
            base.execute(f"SET hnsw.ef_search = {min(method.ef_search, 1000)}")
            base.execute("SET hnsw.iterative_scan = strict_order")
        self.index_bytes = int(base.execute("SELECT pg_total_relation_size(%s::regclass)", (table,)).fetchone()[0])
        self._statement = method.statement(table)
        self.close = weakref.finalize(self, base.close)

    def ask(self, query: Asked, k: int) -> list[tuple[int, float]]:
        """See `Running.ask`."""
        method = self._method
        settings = {"k": k, "depth": method.depth, "rrf": method.rrf, "normalization": method.normalization}
        given = {**settings, "config": method.config, "text": query.text, "vector": query.vector}
        return self._base.execute(self._statement, given).fetchall()  # type: ignore[no-any-return]


def _build(base: Any, method: Postgres, content: Content, table: str) -> None:
    has_texts, vectors = method.has_texts(), content.vectors
    columns = (["body text"] if has_texts else []) + ([f"vector vector({vectors.dimension})"] if vectors else [])
    base.execute(f"CREATE TEMP TABLE incoming (place int, {', '.join(columns)}) ON COMMIT DROP")
    with base.cursor().copy("COPY incoming FROM STDIN WITH (FORMAT BINARY)") as copy:
        copy.set_types(["int4", *(["text"] if has_texts else []), *(["vector"] if vectors else [])])
        for batch in content.batches("postgres"):
            parts = [batch.places, *([batch.texts] if has_texts else []), *([batch.vectors] if vectors else [])]
            for row in zip(*parts, strict=True):
                copy.write_row(row)
    terms = f"to_tsvector('{method.config}'::regconfig, body) AS terms"
    chosen = ", ".join(["place", *([terms] if has_texts else []), *(["vector"] if vectors else [])])
    base.execute(f"CREATE TABLE {table} AS SELECT {chosen} FROM incoming")  # noqa: S608 - names of our own
    base.execute(f"ALTER TABLE {table} ADD PRIMARY KEY (place)")
    if has_texts:
        base.execute(f"CREATE INDEX ON {table} USING gin (terms)")
    if vectors and method.index == "hnsw":
        built = f"m = {method.m}, ef_construction = {method.ef_construction}"
        base.execute(f"CREATE INDEX ON {table} USING hnsw (vector vector_ip_ops) WITH ({built})")
    base.execute(f"ANALYZE {table}")
