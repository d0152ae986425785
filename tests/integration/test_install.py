"""What `make setup` and `make test-pythons` do with processes: steps that end and fail, interpreters that run and do not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import install
from tests.pythons import pythons

ROOT = Path(__file__).parents[2]


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


@pytest.mark.parametrize(
    ("pip_fails_for_uv", "uv", "by_pip"),
    [
        (
            False,
            "import os; print('Installed 1 package in 2ms'); assert os.environ['UV_DEFAULT_INDEX'] == 'here'",
            False,
        ),
        (False, "raise SystemExit('no route to the index')", True),
        (False, None, True),
        (True, None, True),
    ],
)
def test_uv_installs_the_packages_and_pip_does_where_uv_fails(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    pip_fails_for_uv: bool,
    uv: str | None,
    by_pip: bool,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("UV_DEFAULT_INDEX", raising=False)
    for name in install.DEVELOPERS:
        (tmp_path / name).write_text("package==1\n")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", "env"], check=True)
    (packages,) = tmp_path.glob("env/lib/python*/site-packages")
    (packages / "pip.py").write_text(
        "import sys\n"
        "if 'config' in sys.argv: raise SystemExit(print(\"global.index-url='here'\"))\n"
        f"if {pip_fails_for_uv} and {install.UV!r} in sys.argv: raise SystemExit('no wheel of uv')\n"
        "open('pip', 'a').write(' '.join(sys.argv[1:]) + '\\n')\n"
    )
    if uv:
        (packages / "uv.py").write_text(uv)

    install.developers(Path("env"))
    calls = (tmp_path / "pip").read_text().splitlines() if (tmp_path / "pip").exists() else []
    assert [line for line in calls if install.UV not in line] == (
        ["--disable-pip-version-check --no-input install --require-hashes -r requirements.txt -r requirements-dev.txt"]
        if by_pip
        else []
    )
    said = capsys.readouterr().err
    assert (f"  uv failed, see {Path('env/uv.log')}; pip installs the packages\n" in said) == by_pip
    assert ("1 installed" in said) != by_pip


def test_uv_takes_over_the_settings_of_pip_and_keeps_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pip.conf").write_text(
        "[global]\nindex-url = https://one.example/simple\ncert = global.pem\nfind-links =\n  /a\n  /b\n"
        "constraint = unknown.txt\n[install]\ncert = install.pem\nextra-index-url = https://two.example https://three.example\n"
    )
    for variable in ("PIP_INDEX_URL", "PIP_CERT", "PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    monkeypatch.setenv("PIP_TIMEOUT", "7")
    found = install.uv_environment(sys.executable, {"SSL_CERT_FILE": "own.pem", "PATH": "/bin"})
    wanted = {
        "UV_DEFAULT_INDEX": "https://one.example/simple",
        "UV_EXTRA_INDEX_URL": "https://two.example https://three.example",
        "UV_FIND_LINKS": "/a,/b",
        "UV_HTTP_TIMEOUT": "7",
        "SSL_CERT_FILE": "own.pem",
        "PATH": "/bin",
    }
    assert {name: found.get(name) for name in wanted} == wanted
    assert install.uv_environment(sys.executable, {})["SSL_CERT_FILE"] == "install.pem"


def test_uv_is_counted_by_its_large_files_then_by_what_is_installed() -> None:
    log = "Resolved 3 packages in 7ms\nDownloading numpy (16.1MiB)\nDownloading pyarrow (52.5MiB)\n Downloaded numpy\n"
    assert install.uv_so_far(log) == "1 of 2 large files fetched"
    log += " Downloaded pyarrow\nPrepared 3 packages in 2s\nInstalled 3 packages in 9ms\n + numpy==2.4\n"
    assert install.uv_so_far(log) == "3 installed"
    assert install.uv_so_far("Checked 3 packages in 1ms\n") == "3 installed"


def test_make_renews_what_a_changed_file_makes_stale_and_nothing_else(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    sources = [
        tmp_path / name for name in ("pyproject.toml", "setup.py", "install.py", install.UV, *install.DEVELOPERS)
    ]
    (tmp_path / ".venv/bin").mkdir(parents=True)
    python = tmp_path / ".venv/bin/rex"  # the interpreter and rex in one: notes how it is called
    python.write_text('#!/bin/sh\n[ "$1" = -c ] || echo "$@" >>calls\n')
    python.chmod(0o755)

    def calls(target: str, changed: str | None = None) -> list[str]:
        for path in sources:
            path.touch()
            os.utime(path, (1, 1))
        for path in tmp_path.glob(".venv/.set-up*"):
            os.utime(path, (2, 2))
        if changed:
            os.utime(tmp_path / changed, (3, 3))
        (tmp_path / "calls").write_text("")
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
        subprocess.run(["make", target, f"PYTHON={python}"], cwd=tmp_path, env=environment, check=True)
        return (tmp_path / "calls").read_text().splitlines()

    run_time, developers = "install.py .venv", "install.py .venv developers"
    assert calls("run") == [run_time, "demo"]
    assert calls("setup") == [developers]
    assert calls("setup") == []
    assert calls("run") == ["demo"]
    assert calls("setup", changed="requirements-dev.txt") == [developers]
    assert calls("run", changed="requirements-dev.txt") == ["demo"]
    for name in ("pyproject.toml", "setup.py", "install.py", install.UV, "requirements.txt"):
        assert calls("setup", changed=name) == [run_time]


def test_an_existing_environment_is_renewed_for_its_own_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """With `.venv` made by 3.11, `make setup PYTHON=python3.13` must remove the old modules of 3.11, not those of 3.13."""
    ask = "import platform, sysconfig; print(platform.python_version(), sysconfig.get_config_var('EXT_SUFFIX'))"
    for name, python in {"own": Path(sys.executable), **pythons(os.environ)}.items():
        work = tmp_path / name
        (work / "matching_engine").mkdir(parents=True)
        (work / "matching_engine/__init__.py").write_text("def build_notice():\n    return 'the engine'\n")
        for locked in install.RUN_TIME:
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
