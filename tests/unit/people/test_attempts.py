from __future__ import annotations

import pytest

from services.people.attempts import (
    FORGOTTEN_S,
    FREE_OF_ADDRESS,
    FREE_OF_NAME,
    LONGEST_S,
    REMEMBERED,
    Attempts,
    TooSoon,
)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def attempts(clock: Clock) -> Attempts:
    return Attempts(clock)


def wait_of(attempts: Attempts, name: str, address: str) -> float:
    with pytest.raises(TooSoon) as refused:
        attempts.begin(name, address)
    return refused.value.wait_s


def fail(attempts: Attempts, times: int, name: str, address: str = "10.0.0.{}") -> None:
    """Wrong passwords, each from another address where the address has a place for a number."""
    for number in range(times):
        attempts.begin(name, address.format(number))


def test_the_wait_of_a_name_doubles_up_to_a_minute_and_then_stays(attempts: Attempts, clock: Clock) -> None:
    fail(attempts, FREE_OF_NAME, "li.na")
    waits = []
    for number in range(9):
        waits.append(wait_of(attempts, "li.na", f"10.1.0.{number}"))
        clock.now += waits[-1]
        attempts.begin("li.na", f"10.1.0.{number}")
    assert waits == [1, 2, 4, 8, 16, 32, LONGEST_S, LONGEST_S, LONGEST_S]


def test_a_refused_attempt_does_not_lengthen_the_wait(attempts: Attempts, clock: Clock) -> None:
    fail(attempts, FREE_OF_NAME, "li.na")
    assert [wait_of(attempts, "li.na", "10.2.0.1") for _ in range(50)] == [1.0] * 50
    clock.now += 1.0
    attempts.begin("li.na", "10.2.0.1")


@pytest.mark.parametrize("spelled", ["LI.NA", "ｌｉ.ｎａ"])
def test_case_and_width_do_not_make_another_name(attempts: Attempts, spelled: str) -> None:
    fail(attempts, FREE_OF_NAME, "li.na")
    assert wait_of(attempts, spelled, "10.2.0.1") == 1.0


def test_an_address_waits_whatever_names_it_tries(attempts: Attempts) -> None:
    for number in range(FREE_OF_ADDRESS):
        attempts.begin(f"name {number}", "10.0.0.1")
    assert wait_of(attempts, "another name", "10.0.0.1") == 1.0
    attempts.begin("another name", "10.0.0.2")


def test_a_host_of_ipv6_cannot_leave_its_network(attempts: Attempts) -> None:
    for number in range(FREE_OF_ADDRESS):
        attempts.begin(f"name {number}", f"2001:db8::{number:x}")
    assert wait_of(attempts, "another name", "2001:db8::ffff") == 1.0
    attempts.begin("another name", "2001:db8:0:1::1")


def test_clients_of_ipv4_whose_proxy_writes_ipv6_are_each_their_own(attempts: Attempts) -> None:
    for number in range(FREE_OF_ADDRESS):
        attempts.begin(f"name {number}", "::ffff:10.0.0.1")
    assert wait_of(attempts, "another name", "10.0.0.1") == 1.0
    attempts.begin("another name", "::ffff:10.0.0.2")


def test_a_right_password_forgets_the_wrong_ones(attempts: Attempts) -> None:
    fail(attempts, FREE_OF_NAME - 1, "li.na", "10.0.0.1")
    attempts.begin("li.na", "10.0.0.1")
    attempts.succeeded("li.na", "10.0.0.1")
    fail(attempts, FREE_OF_NAME, "li.na", "10.0.0.1")


def test_strangers_cannot_keep_the_owner_of_a_name_out(attempts: Attempts) -> None:
    attempts.begin("li.na", "10.9.0.1")
    attempts.succeeded("li.na", "10.9.0.1")
    fail(attempts, FREE_OF_NAME, "li.na")
    assert wait_of(attempts, "li.na", "10.2.0.1") == 1.0
    attempts.begin("li.na", "10.9.0.1")
    attempts.succeeded("li.na", "10.9.0.1")
    assert wait_of(attempts, "li.na", "10.2.0.1") == 1.0  # the owner's success is no help to strangers


def test_a_familiar_address_guesses_no_faster(attempts: Attempts) -> None:
    attempts.begin("li.na", "10.9.0.1")
    attempts.succeeded("li.na", "10.9.0.1")
    fail(attempts, FREE_OF_NAME, "li.na", "10.9.0.1")
    assert wait_of(attempts, "li.na", "10.9.0.1") == 1.0


def test_wrong_passwords_are_forgotten_in_time(attempts: Attempts, clock: Clock) -> None:
    fail(attempts, FREE_OF_NAME, "li.na")
    clock.now += FORGOTTEN_S + 1
    fail(attempts, FREE_OF_NAME, "li.na")


def test_what_is_remembered_is_bounded(attempts: Attempts) -> None:
    for number in range(REMEMBERED + 100):
        address = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
        attempts.begin(f"name {number}", address)
        attempts.succeeded(f"name {number}", address)
        attempts.begin(f"other {number}", address)
    assert len(attempts._wrong) == len(attempts._familiar) == REMEMBERED
