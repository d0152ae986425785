"""`make run-scaled` on a folder that another one uses: one sentence, and nothing is started."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from load_tests.run_scaled.__main__ import main
from load_tests.run_scaled.running_venue import alone_in


@pytest.fixture(autouse=True)
def handlers_kept() -> Iterator[None]:
    """`main` sets the handlers of its process, which is the tests' here."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_a_second_venue_in_a_folder_is_refused_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with alone_in(tmp_path):
        before = sorted(tmp_path.iterdir())
        assert main(["--folder", str(tmp_path)]) == 1
    assert capsys.readouterr().err.splitlines()[1:] == [
        f"another `make run-scaled` runs the venue in {tmp_path}: stop it first, or name another FOLDER"
    ]
    assert sorted(tmp_path.iterdir()) == before
    with alone_in(tmp_path):  # The first one has ended.
        pass
