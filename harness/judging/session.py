"""What the page for people shows and stores: the next pair of a person, and grades as they come."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

from harness.base.errors import HarnessError, SettingError
from harness.base.plain import plain
from harness.collection.labels import Label, Labels
from harness.judges import HIGHEST
from harness.judging.due import Pair, for_a_person
from harness.judging.target import Target
from harness.runtime.context import Context
from harness.statistics.ppi import LEAST

LONGEST_NAME = 40


class Session:
    """The judgements of people on one collection. Thread-safe; a grade is on the disk before the next pair is shown.

    Args:
        target: the collection.
        pairs: the pool; pairs that machines judged are added to it.
        context: its seed decides the orders.
    """

    def __init__(self, target: Target, pairs: Sequence[Pair], context: Context) -> None:
        self._target, self._pairs, self._context = target, pairs, context
        self._guard = threading.Lock()
        self._due: dict[str, list[Pair]] = {}
        self._known = set(for_a_person(pairs, target.labels, "", context))

    def next(self, person: str) -> dict[str, Any]:
        """JSON-safe: the next pair of a person, None if none is left, and how far they are.

        Raises:
            SettingError: no usable name.
        """
        with self._guard:
            return self._next(_name(person))

    def pair(self, person: str, query: str, document: str) -> dict[str, Any]:
        """As `next`, of a pair that was shown before.

        Raises:
            SettingError: it is none of this collection's pairs.
        """
        with self._guard:
            name = _name(person)
            if (query, document) not in self._known:
                raise SettingError("this pair is not among those to judge.")
            return {"pair": self._shown(query, document, name), "state": self._state(name)}

    def add(self, person: str, query: str, document: str, grade: object) -> dict[str, Any]:
        """Stores a grade, and returns the next pair as `next` does.

        Raises:
            SettingError: no grade from 0 to 3, or not one of the pairs.
        """
        if isinstance(grade, bool) or not isinstance(grade, int) or not 0 <= grade <= HIGHEST:
            raise SettingError(f"a grade is a whole number from 0 to {HIGHEST}.")
        with self._guard:
            name = _name(person)
            if (query, document) not in self._known:
                raise SettingError("this pair is not among those to judge.")
            self._target.add([Label(query, document, grade, name, "person")])
            self._remaining(name)
            if (query, document) in self._due[name]:
                self._due[name].remove((query, document))
            return self._next(name)

    def _next(self, name: str) -> dict[str, Any]:
        left = self._remaining(name)
        return {"pair": self._shown(*left[0], name) if left else None, "state": self._state(name)}

    def _remaining(self, name: str) -> list[Pair]:
        if name not in self._due:
            machines = {label.judge for label in self._target.labels if label.kind != "person"}
            if name in machines:
                raise SettingError(f"{name} is the name of another judge of this collection; take another name.")
            self._due[name] = for_a_person(self._pairs, self._target.labels, name, self._context)
        return self._due[name]

    def _shown(self, query: str, document: str, name: str) -> Mapping[str, Any]:
        text = self._target.document(document)
        own = [label.grade for label in self._target.labels if label[:2] == (query, document) and label.judge == name]
        return {
            "query": query,
            "document": document,
            "query_text": plain(self._target.texts[query]),
            "title": plain(text.title),
            "text": plain(text.text),
            "grade": own[-1] if own else None,
        }

    def _state(self, name: str) -> str:
        given = len({label[:2] for label in self._target.labels if label.judge == name})
        complete = len(Labels(tuple(self._target.labels)).of_people())
        more = f", {LEAST - complete} more until they correct the scores" if complete < LEAST else ""
        return f"{given:,} of {len(self._known):,} pairs judged; {complete:,} queries complete{more}"


def answer(session: Session, path: str, body: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
    """Status and JSON of a request of the page."""
    try:
        person = str(body.get("person", ""))
        query, document = str(body.get("query", "")), str(body.get("document", ""))
        if path == "/next":
            return 200, session.next(person)
        if path == "/pair":
            return 200, session.pair(person, query, document)
        if path == "/label":
            return 200, session.add(person, query, document, body.get("grade"))
    except (HarnessError, OSError) as error:
        return 400, {"problem": str(error)}
    return 404, {"problem": "no such page"}


def _name(person: str) -> str:
    name = " ".join(person.split())
    if not name or len(name) > LONGEST_NAME or plain(name) != name:
        raise SettingError(f"give a name of at most {LONGEST_NAME} characters.")
    return name
