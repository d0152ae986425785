"""Declared control groups and the measures that were imposed, as they follow from what operators recorded. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.commands.attachments import ControlDeclared, ControlEnded, MeasureImposed, MeasureLifted
from services.read_model.records import Record
from services.surveillance.contracts import Control

CONTROL_TYPES = ("control_declared", "control_ended")
MEASURE_TYPES = ("measure_imposed", "measure_lifted")


@dataclass(frozen=True)
class Ending:
    """The record that ended a group or a measure."""

    seq: int
    time_ns: int
    reason: str
    name: str


@dataclass(frozen=True)
class ControlGroup:
    """Accounts that an operator declared to be under one control."""

    declared: Record
    text: ControlDeclared
    ended: Ending | None = None


@dataclass(frozen=True)
class Imposed:
    """A measure on accounts."""

    imposed: Record
    text: MeasureImposed
    lifted: Ending | None = None


def control_groups(found: Iterable[Record]) -> dict[int, ControlGroup]:
    """The groups by the seq of their declaration, oldest first. A group ends once."""
    groups: dict[int, ControlGroup] = {}
    for record in found:
        match record.decision:
            case ControlDeclared() as text:
                groups[record.seq] = ControlGroup(record, text)
            case ControlEnded(declared_seq=seq) as end if seq in groups and groups[seq].ended is None:
                groups[seq] = ControlGroup(groups[seq].declared, groups[seq].text, _ending(record, end))
    return groups


def measures(found: Iterable[Record]) -> dict[int, Imposed]:
    """The measures by the seq of their record, oldest first. A measure is lifted once."""
    imposed: dict[int, Imposed] = {}
    for record in found:
        match record.decision:
            case MeasureImposed() as text:
                imposed[record.seq] = Imposed(record, text)
            case MeasureLifted(imposed_seq=seq) as end if seq in imposed and imposed[seq].lifted is None:
                imposed[seq] = Imposed(imposed[seq].imposed, imposed[seq].text, _ending(record, end))
    return imposed


def bans_in_force(found: Mapping[int, Imposed]) -> dict[int, int]:
    """The oldest opening ban that holds each account, by account."""
    held: dict[int, int] = {}
    for seq, measure in sorted(found.items()):
        if _is_ban(measure) and measure.lifted is None:
            for account in measure.text.accounts:
                held.setdefault(account, seq)
    return held


def freed_by_lifting(found: Mapping[int, Imposed], seq: int) -> list[int]:
    """The accounts, ascending, whose kill switches go off when the measure seq, which is in force, is lifted.

    They are those that no other ban in force holds and that a ban switched on: this one, or an earlier one that it has followed
    without a gap.
    """
    steps = [(imposed, measure, True) for imposed, measure in found.items() if _is_ban(measure)]
    steps += [(measure.lifted.seq, measure, False) for _, measure, _ in steps if measure.lifted is not None]
    steps.sort(key=lambda step: step[0])
    holds, switched = Counter[int](), set[int]()
    for _, measure, begins in steps:
        if begins:
            holds.update(measure.text.accounts)
            switched.update(measure.text.switched)
        else:
            holds.subtract(measure.text.accounts)
            switched = {account for account in switched if holds[account]}
    ended = found[seq].text.accounts if _is_ban(found[seq]) else ()
    return sorted(account for account in ended if account in switched and holds[account] == 1)


def _is_ban(measure: Imposed) -> bool:
    return measure.text.measure == "opening_ban"


def _ending(record: Record, end: ControlEnded | MeasureLifted) -> Ending:
    return Ending(record.seq, record.time_ns, end.reason, end.name)


def control_of(groups: Iterable[ControlGroup], member_of: Mapping[int, int]) -> Control:
    """The group of each member whose account is in a group that has not ended. `member_of`: the member of an account.

    Groups that have a member in common are one group: who controls one of its accounts controls the member.
    """
    control: dict[int, int] = {}
    for number, group in enumerate((group for group in groups if group.ended is None), start=1):
        joined = {member_of[account] for account in group.text.accounts}
        met = {control[member] for member in joined if member in control}
        joined |= {member for member, other in control.items() if other in met}
        control |= dict.fromkeys(joined, number)
    return control
