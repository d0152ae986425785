"""Who traded how much with whom in a choice of trades. Sums are integers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import fsum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.surveillance.contracts import Control, Edge, ScreenTrades

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

MOST_WITHIN = 2
"""By chance a group meets itself at most so many times as often as it takes from outsiders, or makes for them: it is not
believed to be more than two thirds of who takes in a product, or makes. Who is, is worth a question."""


class Roles(NamedTuple):
    """Twice the sums of each node in each product: node × product. In an auction each side takes half and makes half."""

    taken: Integers
    made: Integers


class TradeGraph:
    """The trades of a period, ready to be added up over any choice of them.

    A node is a member, or all members of a declared control group. `seller`, `buyer` and `pair` are per trade: the nodes from 0
    on, and the unordered pair of them; `ends` are the two nodes of each pair.
    """

    def __init__(self, trades: ScreenTrades, control: Control) -> None:
        self.trades = trades
        members = np.concatenate((trades["seller"], trades["buyer"]))
        numbers, code = np.unique(members, return_inverse=True)
        # A group gets a negative number, which is no member's.
        groups = [-1 - control[number] if number in control else number for number in numbers.tolist()]
        nodes, node = np.unique(np.array(groups, np.int64), return_inverse=True)
        self.nodes = len(nodes)
        self.seller, self.buyer = np.split(node[code], 2)
        low, high = np.minimum(self.seller, self.buyer), np.maximum(self.seller, self.buyer)
        pairs, self.pair = np.unique(low * (self.nodes + 1) + high, return_inverse=True)
        self.ends = np.divmod(pairs, self.nodes + 1)
        # Twice the part of a trade in which the seller took: in an auction neither side takes, and each counts half.
        self.seller_took = np.where(trades["aggressor"] == trades["seller"], 2, trades["aggressor"] != trades["buyer"])
        numbers, self.product = np.unique(trades["instrument"], return_inverse=True)
        self.products = len(numbers)
        self.days, starts = np.unique(trades["trading_date"], return_index=True)
        self._starts = np.append(starts, len(trades))

    @property
    def all(self) -> Choice:
        """All trades."""
        return Choice(self, np.arange(len(self.trades)))

    def between(self, first_day: int, last_day: int) -> Choice:
        """The trades from one day to another, both by their place in `days`."""
        return Choice(self, np.arange(self._starts[first_day], self._starts[last_day + 1]))


@dataclass(frozen=True)
class Choice:
    """Some trades of a graph, by their place, ascending."""

    graph: TradeGraph
    at: Integers

    def without(self, trades: Integers) -> Choice:
        """All but these trades of the graph."""
        return Choice(self.graph, np.setdiff1d(self.at, trades, assume_unique=True))

    @cached_property
    def amounts(self) -> Integers:
        """The amounts of the trades in fen."""
        return np.asarray(self.graph.trades["amount_fen"][self.at], np.int64)

    @cached_property
    def pair_fen(self) -> Integers:
        """U: turnover by pair."""
        return summed(self.graph.pair[self.at], self.amounts, len(self.graph.ends[0]))

    @cached_property
    def pair_trades(self) -> Integers:
        """Number of trades by pair."""
        return np.bincount(self.graph.pair[self.at], minlength=len(self.graph.ends[0]))

    @cached_property
    def bought_fen(self) -> Integers:
        """What each node bought."""
        return summed(self.graph.buyer[self.at], self.amounts, self.graph.nodes)

    @cached_property
    def sold_fen(self) -> Integers:
        """What each node sold."""
        return summed(self.graph.seller[self.at], self.amounts, self.graph.nodes)

    @cached_property
    def node_fen(self) -> Integers:
        """v: all turnover by node, bought and sold."""
        return self.bought_fen + self.sold_fen

    @property
    def active(self) -> list[int]:
        """The nodes with turnover, ascending."""
        found: list[int] = np.flatnonzero(self.node_fen).tolist()
        return found

    @cached_property
    def total_fen(self) -> int:
        """V: the sum of v, twice the turnover."""
        return int(self.node_fen.sum())

    @cached_property
    def fen_by_role(self) -> Roles:
        """The turnover of each node in each product as taker and as maker."""
        return self._by_role(self.amounts)

    @cached_property
    def trades_by_role(self) -> Roles:
        """The number of trades of each node in each product as taker and as maker."""
        return self._by_role(np.ones(len(self.at), np.int64))

    def _by_role(self, values: Integers) -> Roles:
        graph = self.graph
        seller, buyer, product = graph.seller[self.at], graph.buyer[self.at], graph.product[self.at]
        cells = np.concatenate((seller, buyer)) * graph.products + np.tile(product, 2)
        seller_took = values * graph.seller_took[self.at]
        buyer_took = 2 * values - seller_took
        sides = (np.concatenate((seller_took, buyer_took)), np.concatenate((buyer_took, seller_took)))
        return Roles(
            *(summed(cells, side, graph.nodes * graph.products).reshape(graph.nodes, graph.products) for side in sides)
        )

    def chance_trades(self, nodes: list[int]) -> float:
        """How many trades these nodes would have with each other if they met each other as they meet outsiders.

        Two nodes would meet (t₁·m₂ + m₁·t₂) / (n + 1) times, with t and m their trades with outsiders as taker and as maker,
        and n the trades among outsiders: over the whole venue or product by product, whichever is larger. Over the whole venue
        each t and m counts one more: little is known of who trades little. But all the nodes together would meet at most twice
        as often as they take from outsiders, or make for them: n + 1 is at least Σt / 2 and Σm / 2. Where outsiders meet hardly
        anybody but the nodes, n says nothing. No money, so a float.
        """
        of_all, of_group = self.trades_by_role, self.inside(nodes).trades_by_role
        taken, made = ((both[nodes] - inside[nodes]) / 2 for both, inside in zip(of_all, of_group, strict=True))
        outside = (of_all.taken.sum(axis=0) - of_group.taken.sum(axis=0)) / 2 - taken.sum(axis=0) - made.sum(axis=0)
        by_product = _meetings(taken, made, outside)
        taken, made = (side.sum(axis=1, keepdims=True) + 1 for side in (taken, made))
        everywhere = _meetings(taken, made, outside.sum(keepdims=True))
        chance = np.maximum(by_product, everywhere)
        return fsum(chance[np.triu_indices(len(nodes), 1)].tolist())

    def chance_everywhere_fen(self, one: int, other: int) -> int:
        """What two nodes would trade with each other if every taker met every maker by size: (t₁·m₂ + m₁·t₂) / turnover."""
        taken, made = self._everywhere
        found: int = (taken[one] * made[other] + made[one] * taken[other]) // max(2 * self.total_fen, 1)
        return found

    def chance_fen(self, one: int, other: int) -> int:
        """The same over the whole venue or product by product, whichever is larger. Members of a small product meet often, and
        that proves nothing."""
        sides = (side[node].tolist() for side in self.fen_by_role for node in (one, other))
        cells = zip(*sides, self._products, strict=True)
        by_product: int = sum((t1 * m2 + m1 * t2) // whole for t1, t2, m1, m2, whole in cells if t1 * m2 + m1 * t2)
        return max(self.chance_everywhere_fen(one, other), by_product)

    @cached_property
    def _everywhere(self) -> tuple[list[int], list[int]]:
        """Twice what each node took and made in all products."""
        taken, made = (side.sum(axis=1).tolist() for side in self.fen_by_role)
        return taken, made

    @cached_property
    def _products(self) -> list[int]:
        """Four times the turnover of each product."""
        return [2 * int(whole) for whole in self.fen_by_role.taken.sum(axis=0)]

    @property
    def net_fen(self) -> int:
        """The sum of |bought − sold| over nodes."""
        return int(np.abs(self.bought_fen - self.sold_fen).sum())

    @cached_property
    def net_by_product_fen(self) -> Integers:
        """Bought less sold: node × product."""
        graph, cells = self.graph, self.graph.nodes * self.graph.products
        sides = (side[self.at] * graph.products + graph.product[self.at] for side in (graph.buyer, graph.seller))
        bought, sold = (summed(side, self.amounts, cells) for side in sides)
        return np.asarray((bought - sold).reshape(graph.nodes, graph.products), np.int64)

    @cached_property
    def product_fen(self) -> Integers:
        """Bought and sold together by product: twice the turnover."""
        return 2 * summed(self.graph.product[self.at], self.amounts, self.graph.products)

    @cached_property
    def reshaped_fen(self) -> Integers:
        """By node: what left it as one product and came back as another, both counted. Σ over products |bought − sold| beyond
        the |bought − sold| of all of them."""
        reshaped = np.abs(self.net_by_product_fen).sum(axis=1) - np.abs(self.bought_fen - self.sold_fen)
        return np.asarray(reshaped, np.int64)

    def of_products(self, chosen: NDArray[np.bool_]) -> Choice:
        """The trades of these products."""
        return Choice(self.graph, self.at[chosen[self.graph.product[self.at]]])

    def inside(self, nodes: list[int]) -> Choice:
        """The trades between these nodes."""
        is_in = np.zeros(self.graph.nodes, bool)
        is_in[nodes] = True
        return Choice(self.graph, self.at[is_in[self.graph.seller[self.at]] & is_in[self.graph.buyer[self.at]]])

    def successors(self, pairs: Integers) -> dict[int, list[int]]:
        """The directed graph of the trades of these pairs: to whom each node sold."""
        is_one = np.zeros(len(self.graph.ends[0]), bool)
        is_one[pairs] = True
        chosen = self.at[is_one[self.graph.pair[self.at]]]
        found: dict[int, list[int]] = {}
        for code in np.unique(self.graph.seller[chosen] * self.graph.nodes + self.graph.buyer[chosen]).tolist():
            seller, buyer = divmod(code, self.graph.nodes)
            found.setdefault(seller, []).append(buyer)
        return found

    def edges(self, trades: Integers) -> tuple[Edge, ...]:
        """Who sold how much to whom in these trades, by seller and buyer; lift and share are the pair's in the whole choice."""
        chosen, pair = self.graph.trades[trades], self.graph.pair[trades]
        ends, edge = np.unique(np.stack((chosen["seller"], chosen["buyer"])), axis=1, return_inverse=True)
        edge = edge.ravel()
        amounts = summed(edge, chosen["amount_fen"], ends.shape[1])
        counts = np.bincount(edge, minlength=len(amounts))
        pair_of = dict(zip(edge.tolist(), pair.tolist(), strict=True))
        return tuple(
            Edge(int(seller), int(buyer), int(amounts[at]), int(counts[at]), *self._lift_and_share(pair_of[at]))
            for at, (seller, buyer) in enumerate(ends.T)
        )

    def _lift_and_share(self, pair: int) -> tuple[float, float]:
        one, other = (int(ends[pair]) for ends in self.graph.ends)
        between = int(self.pair_fen[pair])
        smaller = min(int(self.node_fen[one]), int(self.node_fen[other]))
        return between / max(self.chance_fen(one, other), 1), between / smaller


def _meetings(taken: Floats, made: Floats, outside: Floats) -> Floats:
    """How often each two nodes would meet; `taken` and `made` are node × product, `outside` is per product."""
    # One more: 1 / (n + 1) is right on average where n is a Poisson number, and defined where it is 0.
    whole = np.maximum(outside + 1, np.maximum(taken.sum(axis=0), made.sum(axis=0)) / MOST_WITHIN)
    one_way = (taken / whole) @ made.T
    return np.asarray(one_way + one_way.T, np.float64)


def summed(places: Integers, amounts: Integers, count: int) -> Integers:
    """The sums of the amounts by place, of 0 … count − 1."""
    sums = np.zeros(count, np.int64)
    np.add.at(sums, places, amounts)
    return sums
