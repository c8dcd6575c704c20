"""Requests of one process take turns; one that takes long holds nobody up."""

import threading
import time

import pytest

from crm import serve


@pytest.fixture
def turns():
    inside, most, holding = [], [], threading.Event()

    def app(environ, _start_response):
        inside.append(environ["PATH_INFO"])
        most.append(len(inside))
        if environ["PATH_INFO"] == "/long":
            holding.set()
            assert environ["crm.go_on"].wait(30)
        time.sleep(0.002)
        inside.remove(environ["PATH_INFO"])
        return [b""]

    one = serve.Turns(app)
    one.most, one.holding = most, holding
    return one


def ask(turns, path: str, **more) -> threading.Thread:
    thread = threading.Thread(target=turns, args=({"PATH_INFO": path, **more}, None))
    thread.start()
    return thread


def test_requests_take_turns(turns, monkeypatch):
    monkeypatch.setattr(serve, "PATIENCE", 10)
    for one in [ask(turns, f"/{i}") for i in range(20)]:
        one.join()
    assert len(turns.most) == 20 and max(turns.most) == 1


def test_a_long_request_holds_nobody_up_and_the_turn_is_given_back(turns, monkeypatch):
    monkeypatch.setattr(serve, "PATIENCE", 0.01)
    go_on = threading.Event()
    long = ask(turns, "/long", **{"crm.go_on": go_on})
    assert turns.holding.wait(10)
    ask(turns, "/short").join(5)
    assert turns.most == [1, 2]
    go_on.set()
    long.join()
    assert turns.turn.acquire(timeout=0)


def test_a_request_that_fails_gives_its_turn_back():
    def app(_environ, _start_response):
        raise RuntimeError("broken")

    turns = serve.Turns(app)
    with pytest.raises(RuntimeError):
        turns({}, None)
    assert turns.turn.acquire(timeout=0)
