"""Numbers of things in sentences: `1 row`, `3 rows`, `both rows`, `all 3 rows`."""

from __future__ import annotations


def counted(n: int, noun: str, several: str = "") -> str:
    """A number with its noun.

    Args:
        n: how many.
        noun: of one.
        several: of any other number; empty to add an `s`.
    """
    return f"{n:,} {noun if n == 1 else several or f'{noun}s'}"


def all_of(n: int, one: str, several: str) -> str:
    """What is said of all of `n` things: of one alone, of `both`, or of `all 3`.

    Args:
        n: how many there are, at least 1.
        one: what is said of a single one, as `the other row is`.
        several: what is said of more, without their number, as `other rows are`.
    """
    return one if n == 1 else f"both {several}" if n == 2 else f"all {n:,} {several}"


def some_of(n: int, whole: int, noun: str, said: str) -> str:
    """Of how many of `whole` things something is said: `no other row is tied`, `2 of 3 other rows are tied`.

    Args:
        n: of how many it is said.
        whole: how many there are, at least 1.
        noun: of one, as `other row`.
        said: what follows `is` or `are`, as `tied`.
    """
    if n == whole:
        return all_of(n, f"the {noun} is {said}", f"{noun}s are {said}")
    if n == 0:
        return f"the {noun} is not {said}" if whole == 1 else f"no {noun} is {said}"
    return f"{n:,} of {whole:,} {noun}s {'is' if n == 1 else 'are'} {said}"


def sentence(text: str) -> str:
    """The text with a capital first letter."""
    return text[:1].upper() + text[1:]
