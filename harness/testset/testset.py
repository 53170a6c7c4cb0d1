"""`harness testset`: from a corpus to a folder with a test set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.collection.tables import FOUND, Columns
from harness.endpoints.meter import Estimate
from harness.methods import Method
from harness.rows import DEFAULT_ROWS, methods_of, parse_generator, parse_judge, parse_method
from harness.runtime.context import Context, open_context
from harness.testset.documents import WORDS, Source
from harness.testset.graded import Tell
from harness.testset.make import TestSet, make, rows_asked
from harness.testset.request import DEPTH, QUERIES, Request
from harness.testset.trust import sentences
from harness.testset.write import workplace, write_corpus, write_set


@dataclass(frozen=True)
class MadeSet:
    """A test set that was made, or would be.

    Args:
        out: its folder.
        documents: of the corpus.
        price: the most that hosted models cost; None if none is asked.
        made: None if only the price was wanted.
        trust: what the set is worth, a sentence each.
    """

    out: Path
    documents: int
    price: Estimate | None
    made: TestSet | None = None
    trust: tuple[str, ...] = ()


def make_testset(
    corpus: str | Path,
    out: str | Path,
    *,
    queries: int = QUERIES,
    log: str | Path | None = None,
    generators: Sequence[str] = (),
    judge: str = "panel",
    pool: Sequence[str | Method] = (),
    depth: int = DEPTH,
    words: int = WORDS,
    columns: Columns = FOUND,
    plan: bool = False,
    context: Context | None = None,
    tell: Tell = lambda line: None,
) -> MadeSet:
    """Makes a test set from a corpus and writes it as a BEIR folder with `manifest.json`.

    Args:
        corpus: a folder or a file.
        out: the folder to write.
        queries: how many are wanted.
        log: a file with real queries; then none are made up.
        generators: of queries; empty for `extractive`.
        judge: a row that scores pairs, or an expression of `harness.judges`.
        pool: rows whose first documents are judged; empty for BM25 and the packaged encoder.
        depth: documents of each of these rows.
        words: of a chunk of a long text, at most.
        columns: of a table.
        plan: only read the corpus and compute the price; write nothing.
        context: seed, cache, device, progress.
        tell: called with what is done next, and with the price before anything is sent.

    Raises:
        DatasetError: the corpus cannot be used, or no query is left; says why.
        RecordError: the folder has files that were not written here, or were changed since.
        HarnessError: a wrong setting; a model fails, or a cap is exceeded: finished work is cached.
    """
    request = Request(
        Source(Path(corpus), columns, words),
        Path(out),
        queries,
        tuple(parse_generator(text) for text in generators or ("extractive",)),
        Path(log) if log else None,
        parse_judge(judge),
        tuple(methods_of(pool)) if pool else (),
        depth,
    )
    return made_by(request, context or open_context(), tell, plan=plan)


def made_by(request: Request, context: Context, tell: Tell, *, plan: bool = False) -> MadeSet:
    """As `make_testset`, with the settings as values."""
    with workplace(request.out, plan=plan) as part:
        corpus = write_corpus(request, part, context)
        tell(f"{request.source.path}: {len(corpus):,} document{'' if len(corpus) == 1 else 's'}")
        rows = rows_asked(request, corpus, context)
        price = request.price(corpus, rows[: request.documents])
        if price is not None:
            tell(f"hosted models, if no answer is cached: {price}")
        if plan:
            return MadeSet(request.out, len(corpus), price)
        request.judge.check(corpus, context)
        made = make(request, corpus, rows, context, tell)
        write_set(request, made, corpus, price, part, context.seed)
    trust = sentences(request, made, corpus, [parse_method(row) for row in DEFAULT_ROWS])
    return MadeSet(request.out, len(corpus), price, made, tuple(trust))
