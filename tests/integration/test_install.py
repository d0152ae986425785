"""What `make setup` and `make test-pythons` do with processes: steps that end and fail, interpreters that run and do not."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import install
from tests.pythons import pythons


def test_a_step_says_how_long_it_took_and_keeps_its_output(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    install.run([sys.executable, "-c", "print('compiled 1 of 1 modules')"], tmp_path / "log", str)
    assert capsys.readouterr().err.startswith("  done in ")
    assert (tmp_path / "log").read_text() == "compiled 1 of 1 modules\n"


def test_a_step_that_fails_shows_its_output_and_ends_with_its_status(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        install.run([sys.executable, "-c", "print('no network'); raise SystemExit(3)"], tmp_path / "log", str)
    assert end.value.code == 3
    said = capsys.readouterr().err
    assert said.startswith("no network\n")
    assert f"Its output stands in {tmp_path / 'log'}." in said


def test_an_interpreter_counts_once_and_only_where_it_runs(tmp_path: Path) -> None:
    own = f"3.{sys.version_info.minor}"
    for folder in ("first", "second"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"python{own}").symlink_to(sys.executable)
    shim = tmp_path / "first" / "python3.99"
    shim.write_text("#!/bin/sh\nexit 127\n")
    shim.chmod(0o755)
    found = pythons({"PATH": f"{tmp_path / 'first'}:{tmp_path / 'second'}", "HOME": str(tmp_path)})
    assert found[own] == tmp_path / "first" / f"python{own}"
    assert "3.99" not in found
    assert "3.10" not in found
