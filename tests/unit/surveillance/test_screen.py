"""The wash screen on graphs made by hand, with findings computed by hand."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import pytest

from services.surveillance.contracts import Finding, FindingKind, screen_trades
from services.surveillance.screen import screen, windows
from services.surveillance.thresholds import DEFAULT, ScreenWindow
from tests.unit.surveillance.trades_by_hand import FIRST_DATE, HONEST, Deal, background, trades_of

A, B, C = 1, 2, 3


def circle(*members: int, rounds: int = 5, amount_fen: int = 100_000, matched: bool = False) -> list[Deal]:
    """FairQueue on different days: each member sells to the next one."""
    buyers = (*members[1:], members[0])
    return [
        Deal(seller, buyer, amount_fen, day=4 * at, matched=matched)
        for at in range(rounds)
        for seller, buyer in zip(members, buyers, strict=True)
    ]


def own_trades(*members: int) -> list[Deal]:
    """What the members trade with others: 200,000 fen each."""
    return [Deal(member, 101, 200_000, day=3) for member in members]


def only(findings: tuple[Finding, ...]) -> Finding:
    (finding,) = findings
    return finding


def test_a_circle_of_three_is_a_closed_group() -> None:
    ring = circle(A, B, C)
    finding = only(screen(trades_of([*ring, *own_trades(A, B, C), *background()])))
    assert finding.kind == FindingKind.CLOSED_GROUP
    assert finding.members == (A, B, C)
    assert finding.trade_ids == tuple(range(1, 16))
    assert finding.amount_fen == 15 * 100_000
    assert (finding.window_first_date, finding.window_last_date) == (FIRST_DATE, FIRST_DATE + 19)
    # v = 2 × 500,000 + 200,000 each; V = 3 v + 3 × 200,000 + the background's 2 × 45 × 20 × 50,000.
    whole = 3 * 1_200_000 + 600_000 + 2 * 45 * 20 * 50_000
    assert finding.inside_share == pytest.approx(3_000_000 / 3_600_000)
    assert finding.lift == pytest.approx(1_500_000 / (3 * 1_200_000**2 / whole), rel=1e-3)
    assert finding.net_share == 0
    pair_lift = 500_000 * whole / 1_200_000**2
    expected = [(A, B), (B, C), (C, A)]
    assert [(edge.seller, edge.buyer) for edge in finding.edges] == expected
    assert {(edge.amount_fen, edge.trades) for edge in finding.edges} == {(500_000, 5)}
    for edge in finding.edges:
        assert edge.lift == pytest.approx(pair_lift, rel=1e-3)
        assert edge.share == pytest.approx(5 / 12)


def test_the_sentence_says_it_in_both_languages() -> None:
    trades = trades_of([*circle(A, B, C), *own_trades(A, B, C), *background()])
    finding = only(screen(trades, names={A: "A", B: "B", C: "C"}))
    assert finding.sentence_en == (
        "A, B and C traded ¥ 15.0 k with each other, 83 % of all they did, 33 times what chance gives,"
        " and ended where they began (net 0 %)."
    )
    assert (
        finding.sentence_zh == "A、B和C相互成交1.5万元，占其全部成交的83%，为随机情形的33倍，最终回到起点（净额0%）。"
    )


def test_honest_members_who_all_meet_each_other_are_no_finding() -> None:
    assert screen(trades_of(background())) == ()


def test_a_line_is_no_circle() -> None:
    line = [Deal(seller, buyer, 100_000, day) for day in range(8) for seller, buyer in ((A, B), (B, C))]
    assert screen(trades_of([*line, *own_trades(A, B, C), *background()])) == ()


def test_a_pair_that_only_sells_one_way_is_no_finding() -> None:
    one_way = [Deal(A, B, 100_000, day) for day in range(20)]
    assert screen(trades_of([*one_way, *own_trades(A, B), *background()])) == ()


def test_a_group_that_did_not_end_where_it_began_is_no_finding() -> None:
    """A sold 700,000 to B and bought 300,000 back: net (400,000 + 400,000) / 2,000,000 = 40 %."""
    uneven = [*[Deal(A, B, 100_000, day) for day in range(7)], *[Deal(B, A, 100_000, day) for day in range(17, 20)]]
    assert screen(trades_of([*uneven, *own_trades(A, B), *background()])) == ()


@pytest.mark.parametrize(("back", "found"), [(6, True), (5, False)])
def test_evenness_is_compared_exactly(back: int, found: bool) -> None:
    """10 there and 6 back: 2 × 4 / 32 = 25 %, the limit; 10 and 5: 2 × 5 / 30 = 33 %."""
    there = [Deal(A, B, 100_000, day) for day in range(10)]
    again = [Deal(B, A, 100_000, day) for day in range(back)]
    trades = trades_of([*there, *again, *own_trades(A, B), *background()])
    assert bool(screen(trades, replace(DEFAULT, windows=DEFAULT.windows[:1]))) is found


def test_fewer_than_four_trades_of_a_pair_are_no_finding() -> None:
    assert screen(trades_of([*circle(A, B, C, rounds=3), *own_trades(A, B, C), *background()])) == ()


def test_matched_orders_within_an_uneven_closed_group_are_a_finding() -> None:
    """A sold ten times to B and bought twice; the orders of the first four sales and of both purchases were matched."""
    there = [Deal(A, B, 100_000, day, matched=day < 4) for day in range(10)]
    back = [Deal(B, A, 100_000, day, matched=True) for day in (2, 3)]
    finding = only(screen(trades_of([*there, *back, *own_trades(A, B), *background()])))
    assert finding.kind == FindingKind.MATCHED_ORDERS
    assert finding.trade_ids == (1, 2, 3, 4, 11, 12)
    assert finding.amount_fen == 600_000
    assert finding.net_share == pytest.approx(1 / 3)
    assert "6 times filled each other's orders whole" in finding.sentence_en


def test_matched_orders_of_a_delivery_are_no_finding() -> None:
    """A delivers to B at agreed prices, and once met B by accident the other way: no matched order came back."""
    there = [Deal(A, B, 100_000, day, matched=day < 8) for day in range(10)]
    assert screen(trades_of([*there, Deal(B, A, 100_000, 2), *own_trades(A, B), *background()])) == ()


def test_three_matched_orders_are_too_few() -> None:
    there = [Deal(A, B, 100_000, day, matched=day < 2) for day in range(10)]
    back = [Deal(B, A, 100_000, 2, matched=True)]
    assert screen(trades_of([*there, *back, *own_trades(A, B), *background()])) == ()


def test_declared_common_control_is_certain() -> None:
    """One trade is enough, and no threshold applies."""
    finding = only(screen(trades_of([Deal(A, B, 7, 2), *background()]), control={A: 9, B: 9}))
    assert finding.kind == FindingKind.COMMON_CONTROL
    assert (finding.members, finding.trade_ids, finding.amount_fen) == ((A, B), (1,), 7)


def test_a_control_group_is_one_member_of_a_circle() -> None:
    """A sells to C, and C to B, again and again: only who knows that A and B are one sees the circle."""
    deals = [Deal(seller, buyer, 100_000, day) for day in range(10) for seller, buyer in ((A, C), (C, B))]
    trades = trades_of([*deals, *own_trades(A, B, C), *background()])
    assert screen(trades) == ()
    finding = only(screen(trades, control={A: 9, B: 9}))
    assert (finding.kind, finding.members) == (FindingKind.CLOSED_GROUP, (A, B, C))


def test_a_group_number_is_not_taken_for_a_member() -> None:
    """The control group has the number of an honest member."""
    assert screen(trades_of(background()), control={101: 105, 102: 105, 105: 3}) != ()
    members = {
        member for one in screen(trades_of(background()), control={101: 105, 102: 105}) for member in one.members
    }
    assert members == {101, 102}


def test_findings_of_windows_that_overlap_are_one() -> None:
    """A ring of thirty trading days is in many windows of five and of twenty."""
    days = range(28)
    ring = [Deal(seller, buyer, 100_000, day) for day in days for seller, buyer in ((A, B), (B, A))]
    finding = only(screen(trades_of([*ring, *background(days)])))
    assert len(finding.trade_ids) == len(ring)
    assert (finding.first_date, finding.last_date) == (FIRST_DATE, FIRST_DATE + 27)


def test_members_who_meet_often_by_chance_are_no_finding() -> None:
    """Two of twelve members have four of their ten trades with each other. One such pair is odd, but 66 could have met."""
    small = [*circle(A, B, rounds=2), *(Deal(member, other, 100_000, 3) for member in (A, B) for other in HONEST[:6])]
    assert screen(trades_of([*small, *background(range(0, 20, 4))])) == ()


def both_ways(taker: int, maker: int, trades: int, days: range = range(20)) -> list[Deal]:
    """A taker buys and sells in turns from the quotes of a maker."""
    pairs = [(maker, taker), (taker, maker)]
    return [Deal(*pairs[at % 2], 100_000, days[at % len(days)], aggressor=taker) for at in range(trades)]


def test_a_maker_and_a_taker_of_its_quotes_are_no_finding() -> None:
    """A took 200 times, 80 times from B, who made 480 of all 2,600 trades: 200 × 480 / 2,600 = 37 meetings are chance, half of
    what A has. Makers do not meet makers: if everybody met everybody, 18 would be chance, and A and B a ring."""
    makers, takers = range(11, 16), range(101, 111)
    of_a = [*both_ways(A, B, 80), *(deal for maker in makers for deal in both_ways(A, maker, 24))]
    others = [deal for taker in takers for deal in both_ways(taker, B, 40)]
    others += [deal for taker in takers for maker in makers for deal in both_ways(taker, maker, 40)]
    trades = trades_of([*of_a, *others])
    assert len(trades) == 2_600
    assert screen(trades) == ()
    unknown = trades.copy()
    unknown["aggressor"] = 0
    assert only(screen(unknown)).members == (A, B)


def test_a_ring_that_makes_a_small_product_does_not_hide_in_its_own_trades() -> None:
    """Each of four trades ten times with each other one in a product that outsiders traded 20 times: if everybody met everybody
    in it, 34 of the 60 meetings would be chance."""
    ring = [
        Deal(*pair, 100_000, day, instrument=1)
        for day in range(0, 20, 4)
        for one, other in combinations((1, 2, 3, 4), 2)
        for pair in ((one, other), (other, one))
    ]
    small = [Deal(HONEST[at], HONEST[(at + 3) % 10], 100_000, at, instrument=1) for at in range(10)] * 2
    own = own_trades(1, 2, 3, 4) * 2
    assert only(screen(trades_of([*ring, *small, *own, *background()]))).members == (1, 2, 3, 4)


def quoted_by(members: tuple[int, ...], takes: int, makes: int) -> list[Deal]:
    """Outsiders meet only these members in product 9: each of them takes and makes so many times a day, buying and selling."""
    found: list[Deal] = []
    for day in range(20):
        for member in members:
            for at in range(takes + makes):
                other = HONEST[(len(found) + day) % len(HONEST)]
                seller, buyer = (member, other) if len(found) // 2 % 2 else (other, member)
                taker = member if at < takes else other
                found.append(Deal(seller, buyer, 50_000, day, instrument=9, aggressor=taker))
    return found


def within(members: tuple[int, ...], a_day: int, taker: int = 0) -> list[Deal]:
    """Each member sells to the next one, then each buys back, and so on; the seller takes, or always the same member."""
    ways = [*zip(members, (*members[1:], members[0]), strict=True)]
    ways += [way[::-1] for way in ways]
    return [
        Deal(*ways[at % len(ways)], 50_000, day, instrument=9, aggressor=taker or ways[at % len(ways)][0])
        for day in range(20)
        for at in range(a_day)
    ]


@pytest.mark.parametrize("among_outsiders", [0, 1, 4])
@pytest.mark.parametrize(
    ("a_day", "takes", "makes"), [(10, 0, 2), (10, 1, 2), (10, 2, 2), (20, 2, 2), (20, 1, 4), (40, 2, 4), (40, 1, 4)]
)
def test_a_pair_that_quotes_a_product_does_not_hide_in_it(
    a_day: int, takes: int, makes: int, among_outsiders: int
) -> None:
    """71 to 87 % of all that the two do is with each other. Outsiders meet only them, or almost, so nobody shows how often two
    would meet by chance: but hardly more than twice as often as the two take from others, or make for them."""
    ring = within((A, B), a_day)
    outsiders = [
        Deal(HONEST[at], HONEST[at + 1], 50_000, day, instrument=9, aggressor=HONEST[at])
        for day in range(20)
        for at in range(among_outsiders)
    ]
    deals = [*ring, *quoted_by((A, B), takes, makes), *outsiders, *background()]
    finding = only(screen(trades_of(sorted(deals, key=lambda deal: deal.day))))
    assert (finding.members, len(finding.trade_ids)) == ((A, B), len(ring))


@pytest.mark.parametrize(("members", "taker"), [((A, B), A), ((A, B), B), ((A, B, C), 0)])
def test_who_takes_within_a_ring_that_quotes_a_product_hides_nothing(members: tuple[int, ...], taker: int) -> None:
    """If one always takes and the other always makes, all their trades look like those of a taker and the only maker."""
    ring = within(members, 12, taker)
    deals = [*ring, *quoted_by(members, 1, 2), *background()]
    finding = only(screen(trades_of(sorted(deals, key=lambda deal: deal.day))))
    assert (finding.members, len(finding.trade_ids)) == (members, len(ring))


@pytest.mark.parametrize(("a_day", "takes", "makes"), [(50, 0, 5), (50, 1, 4), (150, 2, 2)])
def test_a_pair_that_quotes_the_whole_venue_does_not_hide_in_it(a_day: int, takes: int, makes: int) -> None:
    """No two of ten outsiders ever meet."""
    ring = within((A, B), a_day)
    deals = [*ring, *quoted_by((A, B), takes, makes)]
    finding = only(screen(trades_of(sorted(deals, key=lambda deal: deal.day))))
    assert (finding.members, len(finding.trade_ids)) == ((A, B), len(ring))


def test_makers_who_trade_a_third_with_each_other_are_no_finding() -> None:
    """The only two who quote a product meet each other there, too."""
    deals = [*within((A, B), 4), *quoted_by((A, B), 2, 6), *background()]
    assert screen(trades_of(sorted(deals, key=lambda deal: deal.day))) == ()


def test_two_members_who_are_the_venue_are_no_finding() -> None:
    """Each of their trades must be with the other: there is nothing that would tell a circle from a market."""
    assert screen(trades_of(within((A, B), 40))) == ()


OXIDE, METAL = 1, 2
TWENTY_DAYS = replace(DEFAULT, windows=DEFAULT.windows[1:2])


def processed(*members: int, matched: bool = False) -> list[Deal]:
    """On ten days each member sells to the next one what it made of what it bought, worth 10 % more."""
    return [
        Deal(members[at], members[(at + 1) % len(members)], amount, 2 * batch, OXIDE + at, matched=matched)
        for batch in range(10)
        for at, amount in enumerate((100_000, 110_000, 121_000)[: len(members)])
    ]


@pytest.mark.parametrize("matched", [False, True])
@pytest.mark.parametrize("members", [(A, B), (A, B, C)])
def test_goods_that_come_back_in_another_form_are_no_finding(members: tuple[int, ...], matched: bool) -> None:
    """The money comes back, but it paid for oxide, metal and magnets: toll processing."""
    assert screen(trades_of([*processed(*members, matched=matched), *own_trades(*members), *background()])) == ()


def test_a_processor_of_batches_that_are_not_back_yet_is_no_finding() -> None:
    """Oxide has gone in for ten days and a third of the metal is back, all by matched orders: uneven, and no circle."""
    deals = [deal for deal in processed(A, B, matched=True) if deal.instrument == OXIDE or deal.day < 6]
    assert screen(trades_of([*deals, *own_trades(A, B), *background()])) == ()


@pytest.mark.parametrize(("metal_back", "found"), [(2, True), (1, False)])
def test_a_third_must_come_back_as_the_same_product(metal_back: int, found: bool) -> None:
    """A sells oxide six times and gets oxide, else metal, back as often. With two of oxide 8 / 12 changed form, the limit; with
    one 10 / 12."""
    ways = [(A, B, OXIDE)] * 6 + [(B, A, METAL)] * (6 - metal_back) + [(B, A, OXIDE)] * metal_back
    deals = [Deal(seller, buyer, 100_000, 3 * (at % 6), product) for at, (seller, buyer, product) in enumerate(ways)]
    assert bool(screen(trades_of([*deals, *own_trades(A, B), *background()]), TWENTY_DAYS)) is found


def test_who_processes_for_a_member_of_a_ring_is_not_in_it() -> None:
    ring = circle(A, B, matched=True)
    finding = only(screen(trades_of([*ring, *processed(B, C), *own_trades(A, B, C), *background()])))
    assert (finding.members, finding.trade_ids) == ((A, B), tuple(range(1, len(ring) + 1)))


def test_a_delivery_beside_a_circle_does_not_make_it_uneven() -> None:
    """A also delivers oxide to B: with it, net (5 + 5) / 30 = 33 %. The circle's trades are the finding, and those only."""
    ring, delivery = circle(A, B), [Deal(A, B, 100_000, day, OXIDE) for day in range(1, 20, 4)]
    finding = only(screen(trades_of([*ring, *delivery, *own_trades(A, B), *background()]), TWENTY_DAYS))
    assert finding.kind == FindingKind.CLOSED_GROUP
    assert finding.trade_ids == tuple(range(1, len(ring) + 1))


def test_two_rings_are_two_findings() -> None:
    trades = trades_of([*circle(A, B, C), *circle(4, 5), *own_trades(A, B, C, 4, 5), *background()])
    assert [finding.members for finding in screen(trades)] == [(A, B, C), (4, 5)]


def test_a_ring_that_is_most_of_the_venue_is_found_and_no_other() -> None:
    """A pair's lift cannot be more than 2 / its share of the venue, and all others seem to meet more often than by chance."""
    ring = circle(A, B, rounds=5, amount_fen=100_000_000)
    assert only(screen(trades_of([*ring, *background()]))).members == (A, B)


def test_a_circle_of_three_that_is_almost_all_of_the_venue_is_found_and_no_other() -> None:
    """Its pairs have lift 1.5, and those of honest members a thousand: chance is what the ring makes it."""
    trades = trades_of([*circle(A, B, C, amount_fen=100_000_000), *background()])
    assert only(screen(trades)).members == (A, B, C)


def test_all_members_together_are_no_ring() -> None:
    """Three members who have a venue for themselves."""
    assert screen(trades_of(circle(A, B, C))) == ()


def test_honest_members_of_a_small_product_are_no_finding() -> None:
    """Three members trade a product that nobody else trades, besides the big one: they must meet each other there."""
    pairs = [(A, B), (B, C), (C, A), (B, A), (C, B), (A, C)]
    small = [Deal(*pair, 20_000, day, instrument=1) for day in range(20) for pair in pairs]
    big = [Deal(member, 101 + day % 10, 200_000, day) for day in range(20) for member in (A, B, C)]
    assert screen(trades_of([*small, *big, *background()])) == ()


def test_no_trades_no_findings() -> None:
    assert screen(trades_of([])) == ()


def test_the_id_is_of_the_content() -> None:
    deals = [*circle(A, B, C), *own_trades(A, B, C), *background()]
    first = only(screen(trades_of(deals)))
    assert first.finding_id == only(screen(trades_of(deals), names={A: "somebody"})).finding_id
    assert len(first.finding_id) == 16
    assert first.finding_id != only(screen(trades_of(deals[1:]))).finding_id


def test_windows_cover_every_day_and_end_on_the_last_one() -> None:
    window = ScreenWindow(20, 5, ())
    assert windows(0, window) == []
    assert windows(3, window) == [(0, 2)]
    assert windows(20, window) == [(0, 19)]
    assert windows(32, window) == [(0, 19), (5, 24), (10, 29), (12, 31)]


def test_input_that_cannot_be_right_is_refused() -> None:
    with pytest.raises(ValueError, match="same member"):
        trades_of([Deal(A, A, 1)])
    with pytest.raises(ValueError, match="64 bits"):
        trades_of([Deal(A, B, 2**61), Deal(B, A, 2**61)])
    with pytest.raises(ValueError, match="negative"):
        trades_of([Deal(A, B, -1)])
    assert len(screen_trades([])) == 0
