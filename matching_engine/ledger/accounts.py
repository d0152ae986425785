"""The accounts: each account's cash (fen) and inventory (lots), and the part of each that its open orders have reserved.

Only `move_cash` and `move_lots` change cash and lots. Both methods also keep the sums over all accounts, which must always
equal deposits less withdrawals (`broken_law` compares them). If a sum differs, or an account has reserved more than it
holds, a fault stops the engine.

The methods that change an account do not validate: the engine checks funds, account numbers and limits before.
"""

from __future__ import annotations

from dataclasses import dataclass

import cython

from matching_engine.limits import MAX_ACCOUNTS
from matching_engine.pools import grown, rows, words
from matching_engine.records import I64, U8, U16, U32, U64

if not cython.compiled:  # when compiled, these stand in the .pxd
    from matching_engine.faults import Fault
    from matching_engine.limits import MAX_DAY_AMOUNT_FEN, MAX_INSTRUMENTS
    from matching_engine.pools import WORD, lowest_bit
    from matching_engine.records import VENUE

    GOLDEN = 0x9E37_79B9_7F4A_7C15

    def account_at(row: Account) -> Account:
        """A row of a pool for reading and writing: its address in C, the row itself here."""
        return row


@dataclass(slots=True)
class Account:
    """An account. `reserved_fen` is the part of `cash_fen` that open buys may need; `day_fen` is the amount traded today; a
    limit (`max_...`) of 0 means no limit. Row 0 is no account: its `kill_switch` is that of the venue."""

    cash_fen: I64 = 0
    reserved_fen: I64 = 0
    day_fen: I64 = 0
    max_order_lots: I64 = 0
    max_order_fen: I64 = 0
    max_day_fen: I64 = 0
    owner: U32 = 0
    open_orders: U32 = 0
    max_open_orders: U16 = 0
    account_class: U8 = 0
    kill_switch: U8 = 0
    unused: U32 = 0


@dataclass(slots=True)
class Holding:
    """The lots of one instrument in one account. `key` is account << 16 | instrument, or 0 in a free row."""

    key: U64 = 0
    lots: I64 = 0
    reserved_lots: I64 = 0


class Accounts:
    """The accounts, numbered from VENUE (1) to `count`, and their holdings."""

    def __init__(self) -> None:
        self.count = 0
        self.fault = 0
        self.cash_fen = 0
        self.deposited_fen = 0
        self.rows = rows(Account, 64, MAX_ACCOUNTS + 1)
        self.holdings = rows(Holding, 64)
        self.lots = words(MAX_INSTRUMENTS, "i8")
        self.received_lots = words(MAX_INSTRUMENTS, "i8")
        self._held = 0
        self._shift = 64 - 6
        self.open_account(VENUE, 0)

    # Views

    def cash(self, account: int) -> tuple[int, int]:
        """(cash, reserved part of it), in fen. Raises KeyError for an unknown account."""
        if not self.knows(account):
            raise KeyError(account)
        return self.rows[account].cash_fen, self.rows[account].reserved_fen

    def holding(self, account: int, instrument: int) -> tuple[int, int]:
        """(lots, reserved part of them); (0, 0) where the account never held any."""
        row = self.holdings[self.holding_row(account, instrument)]
        return row.lots, row.reserved_lots

    def all_holdings(self) -> list[tuple[int, int, int, int]]:
        """(account, instrument, lots, reserved lots) of each holding with lots, by account and instrument."""
        held = [(row.key, row.lots, row.reserved_lots) for row in self.holdings if row.lots]
        return [(key >> 16, key & 0xFFFF, lots, reserved) for key, lots, reserved in sorted(held)]

    def knows(self, account: int) -> bool:
        """Whether an account with this number exists."""
        return 1 <= account <= self.count

    # Storage

    def reserve(self, commands: int) -> int:
        """Makes room for `commands` commands, each of which may add an account or a holding. Raises MemoryError.

        A trade adds no holding: the buyer's was added when its order was accepted, and the seller's holds the lots sold."""
        size = len(self.rows)
        while size <= self.count + commands:
            size *= 2
        if size > len(self.rows):
            self.rows = grown(self.rows, self.count + 1, size)
        size = len(self.holdings)
        while size < 2 * (self._held + commands):
            size *= 2
        if size > len(self.holdings):
            old = self.holdings
            self.holdings = rows(Holding, size)
            self._shift = 64 - lowest_bit(size)
            for i in range(len(old)):
                if old[i].key != 0:
                    self.holdings[self._locate(old[i].key)] = old[i]
        return 0

    def holding_row(self, account: int, instrument: int) -> int:
        """The row of a holding, or the free (blank) row where it would be."""
        return self._locate(account << 16 | instrument)

    def open_holding(self, account: int, instrument: int) -> int:
        """The row of a holding; adds a holding of 0 lots if there is none. `reserve` has made room for it."""
        i = self.holding_row(account, instrument)
        if self.holdings[i].key == 0:
            self.holdings[i].key = account << 16 | instrument
            self._held += 1
        return i

    def _locate(self, key: int) -> int:
        mask = len(self.holdings) - 1
        i = ((key * GOLDEN) & WORD) >> self._shift
        while self.holdings[i].key != 0 and self.holdings[i].key != key:
            i = (i + 1) & mask
        return i

    # Deposits and withdrawals

    def open_account(self, owner: int, account_class: int) -> int:
        """Opens an empty account and returns its number. With owner 0 the account is its own owner."""
        self.count += 1
        self.rows[self.count].owner = owner if owner != 0 else self.count
        self.rows[self.count].account_class = account_class
        return self.count

    def change_cash(self, account: int, amount_fen: int) -> None:
        """Deposits cash, or withdraws it where the amount is negative."""
        self.deposited_fen += amount_fen
        self.move_cash(account, amount_fen)
        self._check_cash(account)

    def change_lots(self, account: int, instrument: int, quantity_lots: int) -> None:
        """Books lots in, or out where the quantity is negative."""
        self.received_lots[instrument] += quantity_lots
        self.move_lots(account, instrument, quantity_lots)
        self._check_lots(self.holding_row(account, instrument))

    # Reserves and trades

    def reserve_cash(self, account: int, amount_fen: int) -> None:
        """Reserves cash, or releases it where the amount is negative."""
        self.rows[account].reserved_fen += amount_fen
        self._check_cash(account)

    def reserve_lots(self, account: int, instrument: int, quantity_lots: int) -> None:
        """Reserves inventory, or releases it where the quantity is negative."""
        i = self.holding_row(account, instrument)
        self.holdings[i].reserved_lots += quantity_lots
        self._check_lots(i)

    def settle_trade(
        self,
        instrument: int,
        buyer: int,
        seller: int,
        quantity_lots: int,
        amount_fen: int,
        buyer_fee_fen: int,
        seller_fee_fen: int,
        released_fen: int,
    ) -> None:
        """Settles one trade, delivery versus payment. Both fees go to VENUE; the buyer's reserve falls by `released_fen`."""
        self.move_cash(buyer, -amount_fen - buyer_fee_fen)
        self.move_cash(seller, amount_fen - seller_fee_fen)
        self.move_cash(VENUE, buyer_fee_fen + seller_fee_fen)
        self.move_lots(buyer, instrument, quantity_lots)
        self.move_lots(seller, instrument, -quantity_lots)
        self.reserve_lots(seller, instrument, -quantity_lots)
        self.reserve_cash(buyer, -released_fen)

    def move_cash(self, account: int, amount_fen: int) -> None:
        """Changes an account's cash and the sum of all cash. No other method changes them."""
        self.rows[account].cash_fen += amount_fen
        self.cash_fen += amount_fen

    def move_lots(self, account: int, instrument: int, quantity_lots: int) -> None:
        """Changes an account's lots and the sum of all lots. No other method changes them."""
        self.holdings[self.open_holding(account, instrument)].lots += quantity_lots
        self.lots[instrument] += quantity_lots

    # The trading day

    def count_traded(self, account: int, amount_fen: int) -> None:
        """Adds to an account's traded amount of the day, and clamps it to 0..MAX_DAY_AMOUNT_FEN. A bust is negative."""
        day = self.rows[account].day_fen + amount_fen
        self.rows[account].day_fen = 0 if day < 0 else min(day, MAX_DAY_AMOUNT_FEN)

    def begin_day(self) -> None:
        """Sets the traded amount of every account to 0."""
        for account in range(1, self.count + 1):
            self.rows[account].day_fen = 0

    def free_fen(self, account: int) -> int:
        """An account's cash that no order has reserved."""
        return self.rows[account].cash_fen - self.rows[account].reserved_fen

    def free_lots(self, account: int, instrument: int) -> int:
        """An account's lots that no order has reserved."""
        i = self.holding_row(account, instrument)
        return self.holdings[i].lots - self.holdings[i].reserved_lots

    # The laws of conservation

    def broken_law(self, instruments: int) -> int:
        """The present fault, or the Fault of a sum that differs from deposits less withdrawals: of cash, or of lots of one of
        the first `instruments` instruments. NONE if all is well."""
        if self.fault:
            return self.fault
        if self.cash_fen != self.deposited_fen:
            return Fault.CASH_NOT_CONSERVED
        for i in range(instruments):
            if self.lots[i] != self.received_lots[i]:
                return Fault.INVENTORY_NOT_CONSERVED
        return Fault.NONE

    def _check_cash(self, account: int) -> None:
        if not 0 <= self.rows[account].reserved_fen <= self.rows[account].cash_fen:
            self.fault = Fault.OVERDRAWN

    def _check_lots(self, row: int) -> None:
        if not 0 <= self.holdings[row].reserved_lots <= self.holdings[row].lots:
            self.fault = Fault.OVERDRAWN
