"""Shares of a whole that add up to exactly one: rounded by largest remainder."""

from __future__ import annotations

from collections.abc import Sequence

from services.values.decimals import fixed_text

DECIMALS = 6


def shares_of(amounts: Sequence[int]) -> list[str]:
    """Each amount's share of their sum, as decimal fractions of six places that add up to 1; zeros where the sum is zero.

    Each is rounded down first; those with the largest remainders, the first of equals, get the parts that are left. Amounts are
    not below zero.
    """
    whole, parts = sum(amounts), 10**DECIMALS
    if not whole:
        return [fixed_text(0, DECIMALS)] * len(amounts)
    floors = [amount * parts // whole for amount in amounts]
    remainders = [amount * parts % whole for amount in amounts]
    largest = sorted(range(len(amounts)), key=lambda number: (-remainders[number], number))
    for number in largest[: parts - sum(floors)]:
        floors[number] += 1
    return [fixed_text(floor, DECIMALS) for floor in floors]
