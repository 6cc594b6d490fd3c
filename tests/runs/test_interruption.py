"""Ctrl-C during long work is noted, cuts a long step short, and leaves files alone."""

import signal
import threading

import pytest

from firstlight.runs.interruption import Interruption


def press():
    signal.raise_signal(signal.SIGINT)


def test_the_first_is_noted_the_second_raises_the_others_are_ignored():
    with Interruption() as interruption:
        assert not interruption.asked
        press()
        assert interruption.asked
        with pytest.raises(KeyboardInterrupt):
            press()
        press()
        press()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_once_held_none_raises_but_the_first_is_noted():
    with Interruption() as interruption:
        interruption.hold()
        press()
        press()
        assert interruption.asked
    with pytest.raises(KeyboardInterrupt):
        press()


def test_a_handler_of_somebody_else_stays():
    heard = []
    before = signal.signal(signal.SIGINT, lambda *_: heard.append(1))
    try:
        with Interruption() as interruption:
            press()
        assert (heard, interruption.asked) == ([1], False)
    finally:
        signal.signal(signal.SIGINT, before)


def test_in_another_thread_nothing_is_changed():
    found = []

    def work():
        with Interruption():
            found.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [signal.default_int_handler]
