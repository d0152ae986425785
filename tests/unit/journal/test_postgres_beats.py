"""Whether a sequencer leads, on a clock that the test sets."""

from __future__ import annotations

from services.journal.postgres.writer_row import LEADS_S, Beats, WriterRow

ROW = WriterRow(bytes(16), 1, 0, 7, bytes(32), beat=1, url="ws://leader", backend=1)


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_a_sequencer_has_led_since_the_row_began_to_change_without_a_pause() -> None:
    clock = Clock()
    beats = Beats(clock)
    beats.see(ROW)
    assert beats.led_s == 0
    for beat in range(2, 22):
        clock.now_s += LEADS_S / 2
        beats.see(ROW._replace(beat=beat))
    assert beats.led_s == 19 * LEADS_S / 2
    clock.now_s += LEADS_S
    assert beats.led_s == 0
    beats.see(ROW._replace(epoch=2))  # The next leader: for this moment nobody has a link to it.
    assert beats.led_s == 0
    clock.now_s += LEADS_S / 2
    beats.see(ROW._replace(epoch=2, beat=2))
    assert beats.led_s == LEADS_S / 2
    clock.now_s += LEADS_S / 2
    beats.see(ROW._replace(epoch=2, beat=2))
    assert beats.led_s == LEADS_S, "a row that stands for a moment is still a leader's"
