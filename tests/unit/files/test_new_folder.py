"""A folder that appears as a whole or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from services.files import new_folder as module
from services.files.new_folder import MARK, UNFINISHED, FolderRefused, new_folder, sync


def made(folder: Path) -> Path:
    with new_folder(folder) as unfinished:
        (unfinished / "file").write_bytes(b"all of it")
    return folder


def left(folder: Path) -> Path:
    """What a process that was killed left."""
    unfinished = folder.with_name(folder.name + UNFINISHED)
    (unfinished / "inner").mkdir(parents=True)
    (unfinished / "inner" / "file").touch()
    return unfinished


def interrupted(folder: Path) -> None:
    with new_folder(folder) as unfinished:
        (unfinished / "file").touch()
        raise KeyboardInterrupt


def test_it_holds_what_was_written_and_no_mark(tmp_path: Path) -> None:
    assert os.listdir(made(tmp_path / "new")) == ["file"]
    assert os.listdir(tmp_path) == ["new"]


def test_an_empty_folder_gives_way_also_the_current_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "new").mkdir()
    monkeypatch.chdir(tmp_path / "new")
    made(Path())
    assert os.listdir(tmp_path / "new") == ["file"]


def test_what_another_program_made_under_that_name_is_not_removed(tmp_path: Path) -> None:
    unfinished = left(tmp_path / "new")
    with pytest.raises(FolderRefused, match=r"new.unfinished is there, and REX did not make it: move it away"):
        made(tmp_path / "new")
    assert os.listdir(unfinished) == ["inner"]
    (unfinished / MARK).touch()
    made(tmp_path / "new")
    assert os.listdir(tmp_path) == ["new"]


def test_an_unfinished_folder_that_got_no_mark_yet_is_ours(tmp_path: Path) -> None:
    (tmp_path / f"new{UNFINISHED}").mkdir()
    made(tmp_path / "new")
    assert os.listdir(tmp_path) == ["new"]


def test_after_an_error_an_empty_folder_is_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir(0o750)
    before = (tmp_path / "new").stat()
    with pytest.raises(KeyboardInterrupt):
        interrupted(tmp_path / "new")
    assert os.listdir(tmp_path) == ["new"]
    assert ((tmp_path / "new").stat().st_ino, (tmp_path / "new").stat().st_mode) == (before.st_ino, before.st_mode)


def test_after_the_rename_the_sentence_says_that_it_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The device fails at the very last."""

    def failing(path: Path) -> None:
        if path == tmp_path:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        sync(path)

    monkeypatch.setattr(module, "sync", failing)
    with pytest.raises(FolderRefused, match=r"new is there with all that is in it, .*Input/output error"):
        made(tmp_path / "new")
    assert os.listdir(tmp_path / "new") == ["file"]
