"""What a made test set is worth, in plain words; printed with every set."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from harness.base.counts import all_of, sentence
from harness.compare import judge_errors as errors
from harness.data.corpus import Corpus
from harness.judges.row import models_of
from harness.methods import Method
from harness.methods.rerank import Rerank
from harness.rows import row_name
from harness.testset.filters import of_copied_documents
from harness.testset.make import TestSet
from harness.testset.request import DENSE_UP_TO, Request

DOCS = "docs/testset.md"
MANY_COPIES = 0.2
"""Share of the queries from which copies of documents decide the set: on CoSQA, where rows were badly ordered, 1."""


def sentences(request: Request, made: TestSet, corpus: Corpus, rows: Sequence[Method]) -> list[str]:
    """What the set is worth.

    Args:
        request: the settings.
        made: the set.
        corpus: all documents.
        rows: of which those that share a model with the judge are named.
    """
    lines = [
        "A machine gave every label: scores on this set are uncalibrated. They order rows roughly; intervals of "
        "differences are widened for the judge's errors, so that only large differences are significant."
    ]
    favoured = [row_name(row) for row in rows if models_of(row) & request.judge.models()]
    if favoured:
        lines.append(
            f"The judge {request.judge.label()} shares a model with rows, which may favour them: {', '.join(favoured)}."
        )
    lexical = sum(query.generator.startswith("extractive") for query in made.queries)
    if lexical:
        share = sum(made.copied.values()) / max(1, len(made.copied))
        of = f"{lexical} of {len(made.queries)} queries are"
        if lexical == len(made.queries):
            of = sentence(all_of(lexical, "the only query is", "queries are"))
        lines.append(
            f"{of} taken from documents ({share:.0%} of the content words are in the document). Each document is left "
            "out of the ranking of its own query, since rows that match words find it before all others: what counts "
            "is what is found besides. Real queries (--queries log.txt) are better."
        )
    lines += _of_known_items(made) + _of_copies(made, corpus) + _of_pool(request, len(corpus))
    lines.append(
        "People's labels of 30 to 100 queries, drawn at random, give intervals that are valid again: "
        f"`harness judge {shlex.quote(str(request.out))} --serve`."
    )
    judge = [request.judge.label()]
    if errors.nearest(judge) != judge[0]:
        lines.append(
            "This judge was not measured: intervals of differences are widened for the largest errors of the judges "
            f"that were ({', '.join(errors.measured()['judges'])}); the figures below are of {errors.nearest(judge)}."
        )
    lines += [errors.favours(judge), f"{errors.orders(judge)} See {DOCS}."]
    return lines


def _of_known_items(made: TestSet) -> list[str]:
    alone, count = sum(query.alone for query in made.queries), len(made.queries)
    if not alone:
        return []
    line = (
        f"{alone} of {count} queries are of documents that are like no other, and ask for the document itself, since "
        "few others were left: such queries favour rows that match words."
    )
    if 2 * alone > count:
        line += (
            " They are most of this set, so do not choose a row by it: let people judge, give real queries (--queries "
            "log.txt), or try another judge (--judge dense)."
        )
    return [line]


def _of_copies(made: TestSet, corpus: Corpus) -> list[str]:
    copied, count = of_copied_documents(made.queries, made.pairs, corpus), len(made.queries)
    if copied <= MANY_COPIES * count:
        return []
    return [
        f"{copied} of {count} queries are of documents of which the corpus has near copies: the copies are their "
        "answers, and rows that match words find them first. Do not choose a row by this set; remove the copies and "
        "make it again, give real queries (--queries log.txt), or let people judge."
    ]


def _of_pool(request: Request, documents: int) -> list[str]:
    pool = request.rows(documents)
    if any(models_of(row.first if isinstance(row, Rerank) else row) - {"bm25"} for row in pool):
        return []
    large = "" if request.pool else f" (the corpus has more than {DENSE_UP_TO:,} documents)"
    return [
        f"The rows of the pool find documents by words only{large}: what other rows find besides is not judged and "
        "counts as wrong, which favours rows that match words by more than intervals are widened for. With --pool bm25 "
        "--pool dense an encoder searches all documents, which takes longer."
    ]
