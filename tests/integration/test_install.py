"""What `make setup` and `make test-pythons` do with processes: steps that end and fail, interpreters that run and do not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import install
from tests.pythons import pythons


def test_a_step_says_how_long_it_took_and_keeps_its_output(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    install.run([sys.executable, "-c", "print('compiled 1 of 1 modules')"], tmp_path / "log", str.strip)
    assert capsys.readouterr().err.startswith("  compiled 1 of 1 modules, done in ")
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


def test_packages_are_counted_to_the_last_that_this_system_needs(tmp_path: Path) -> None:
    locked = {"async-timeout", "colorama", "jinja2", "typing-extensions"}
    log = "Ignoring colorama: markers 'sys_platform == \"win32\"' don't match your environment\n"
    assert install.packages_so_far(log, locked, tmp_path) == "0 of 3 fetched"
    log += "Requirement already satisfied: Jinja2==3.1 in lib (from -r requirements.txt (line 9))\n"
    log += "Collecting typing_extensions==4.15 (from -r requirements.txt (line 12))\n  Downloading one.whl\n"
    assert install.packages_so_far(log, locked, tmp_path) == "2 of 3 fetched"
    log += "Collecting async-timeout==5.0.1 (from -r requirements.txt (line 1))\n"
    assert install.packages_so_far(log, locked, tmp_path) == "3 of 3 fetched"
    for folder in ("typing_extensions-4.15", "jinja2-3.1", "async_timeout-5.0.1", "rex_exchange-1.0", "wheel-0.45"):
        (tmp_path / f"{folder}.dist-info").mkdir()
    log += "Installing collected packages: typing-extensions, async-timeout\n"
    assert install.packages_so_far(log, locked, tmp_path) == "3 of 3 installed"


def test_an_existing_environment_is_renewed_for_its_own_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """With `.venv` made by 3.11, `make setup PYTHON=python3.13` must remove the old modules of 3.11, not those of 3.13."""
    ask = "import platform, sysconfig; print(platform.python_version(), sysconfig.get_config_var('EXT_SUFFIX'))"
    for name, python in {"own": Path(sys.executable), **pythons(os.environ)}.items():
        work = tmp_path / name
        (work / "matching_engine").mkdir(parents=True)
        (work / "matching_engine/__init__.py").write_text("def build_notice():\n    return 'the engine'\n")
        for locked in install.LOCKED:
            (work / locked).write_text("package==1\n")
        monkeypatch.chdir(work)
        subprocess.run([python, "-m", "venv", "--without-pip", ".venv"], check=True)
        (packages,) = work.glob(".venv/lib/python*/site-packages")
        (packages / "pip.py").write_text("")  # installs nothing, successfully
        said = subprocess.run([python, "-c", ask], check=True, capture_output=True, text=True).stdout
        version, suffix = said.split()
        modules = {work / "matching_engine" / f"engine{suffix}", work / "matching_engine" / "engine.of-another.so"}
        for module in modules:
            module.touch()

        install.main(Path(".venv"))
        assert f"Python {version}" in capfd.readouterr().err
        assert {module for module in modules if module.exists()} == {work / "matching_engine/engine.of-another.so"}
        assert Path(install.described(".venv/bin/python")[1]) == packages


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
