import pytest

from harness.base.errors import SettingError
from harness.executors import EXECUTORS, Job
from harness.executors.local import Local

done = []


def note(given, context):
    done.append(given["name"])
    if given.get("fail"):
        raise ValueError("as asked")
    return {"seed": context.seed, "name": given["name"]}


def job(name, *after, **given):
    return Job(name, f"{__name__}:note", {"name": name, **given}, after=after)


def test_jobs_run_after_those_they_come_after_and_return_what_their_function_does(context):
    done.clear()
    outcomes = list(Local().map([job("c", "b"), job("b", "a"), job("a")], context))
    assert done == ["a", "b", "c"]
    assert [o.value for o in outcomes] == [{"seed": context.seed, "name": n} for n in "abc"]
    assert all(o.error is None and o.attempts == 1 for o in outcomes)


def test_a_failure_is_an_outcome_and_takes_down_only_what_comes_after_it(context):
    done.clear()
    outcomes = {
        o.job.id: o for o in Local().map([job("a", fail=True), job("b", "a"), job("c", "b"), job("d")], context)
    }
    assert done == ["a", "d"]
    assert outcomes["a"].error == "ValueError: as asked"
    assert outcomes["b"].error == "not tried: a failed"
    assert outcomes["b"].attempts == outcomes["c"].attempts == 0
    assert outcomes["d"].error is None


@pytest.mark.parametrize(
    ("jobs", "told"),
    [
        ([job("a"), job("a")], "two jobs are called 'a'"),
        ([job("a", "b")], "comes after 'b'"),
        ([job("a", "b"), job("b", "a")], "wait for each other"),
        ([Job("a", "no.such:thing")], "names no function"),
        ([Job("a", "json")], "names no function"),
        ([Job("a", "json:__name__")], "is not a function"),
    ],
)
def test_jobs_that_cannot_be_done_are_refused(jobs, told, context):
    with pytest.raises(SettingError, match=told):
        list(Local().map(jobs, context))


def test_the_room_knows_local():
    assert "local" in EXECUTORS.names()
