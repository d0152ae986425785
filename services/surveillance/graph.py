"""Who traded how much with whom in a choice of trades. Sums are integers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import fsum

import numpy as np
from numpy.typing import NDArray

from services.surveillance.contracts import Control, Edge, ScreenTrades

Integers = NDArray[np.int64]


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
    def product_fen(self) -> Integers:
        """The turnover of each node in each product, bought and sold: node × product."""
        product, products, amounts = self.graph.product[self.at], self.graph.products, self.amounts
        cells = np.concatenate(
            (self.graph.seller[self.at] * products + product, self.graph.buyer[self.at] * products + product)
        )
        return summed(cells, np.tile(amounts, 2), self.graph.nodes * products).reshape(-1, products)

    @cached_property
    def product_trades(self) -> Integers:
        """The number of trades of each node in each product, bought and sold: node × product."""
        product, products = self.graph.product[self.at], self.graph.products
        cells = np.concatenate(
            (self.graph.seller[self.at] * products + product, self.graph.buyer[self.at] * products + product)
        )
        return np.bincount(cells, minlength=self.graph.nodes * products).reshape(-1, products)

    def chance_trades(self, nodes: list[int]) -> float:
        """How many trades these nodes would have with each other if everybody met everybody by number of trades: over the whole
        venue or product by product, whichever is larger for a pair. No money, so a float."""
        chosen = self.product_trades[nodes]
        everywhere = _products_of_pairs(chosen.sum(axis=1)[:, None], np.array([max(2 * len(self.at), 1)]))
        by_product = _products_of_pairs(chosen, np.maximum(self.product_trades.sum(axis=0), 1))
        return fsum(np.maximum(everywhere, by_product)[np.triu_indices(len(nodes), 1)].tolist())

    def chance_everywhere_fen(self, one: int, other: int) -> int:
        """What two nodes would trade with each other if everybody met everybody by size: v₁·v₂ / V."""
        return int(self.node_fen[one]) * int(self.node_fen[other]) // max(self.total_fen, 1)

    def chance_fen(self, one: int, other: int) -> int:
        """The same over the whole venue or product by product, whichever is larger. Members of a small product meet often, and
        that proves nothing."""
        cells = zip(self.product_fen[one].tolist(), self.product_fen[other].tolist(), self._products, strict=True)
        by_product = sum(int(first) * int(second) // whole for first, second, whole in cells if first and second)
        return max(self.chance_everywhere_fen(one, other), by_product)

    @cached_property
    def _products(self) -> list[int]:
        return [int(whole) for whole in self.product_fen.sum(axis=0)]

    @property
    def net_fen(self) -> int:
        """The sum of |bought − sold| over nodes."""
        return int(np.abs(self.bought_fen - self.sold_fen).sum())

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


def _products_of_pairs(sides: Integers, wholes: Integers) -> NDArray[np.float64]:
    """node × node: the sum over products of what one has × what the other has / the whole."""
    return np.asarray((sides / wholes) @ sides.T, np.float64)


def summed(places: Integers, amounts: Integers, count: int) -> Integers:
    """The sums of the amounts by place, of 0 … count − 1."""
    sums = np.zeros(count, np.int64)
    np.add.at(sums, places, amounts)
    return sums
