"""`rex restore`: makes a data folder from a backup, and checks all of it before the folder gets its name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path, PurePosixPath

from services.backups.days import copy_days
from services.backups.errors import BackupRefused
from services.backups.files import copy_file
from services.backups.interruptible import Check, in_thread
from services.backups.manifest import Manifest, read_manifest
from services.backups.proof import CopyProof, prove_copy
from services.files.data_folder import JOURNAL_FILE
from services.files.new_folder import new_folder
from services.journal.archives.day import ARCHIVES_FOLDER, ArchivedEnd, HashedFile
from services.journal.archives.reading import Archives
from services.journal.chain import ChainEnd
from services.journal.connections import log_of
from services.journal.witness import Witness

OnProgress = Callable[[str, int, int], None]
"""Is called with what is done, how much of it is done, and how much there is."""


async def restore(
    folder: Path, data_dir: Path, archives: Path | None, witnesses: Sequence[Witness], on_progress: OnProgress
) -> Manifest:
    """Restores the backup in `folder` into `data_dir`, with the archived days that come before it from `archives`. The journal
    is re-executed, and must agree with each witness.

    Raises FolderRefused if there is something in `data_dir`; BackupRefused if the backup is not whole, BackupFailed if the copy
    cannot be written. Then nothing is in `data_dir`.
    """
    manifest = read_manifest(folder)
    _check_names(folder, manifest)
    if manifest.archived_seq and archives is None:
        raise BackupRefused(
            f"the backup {folder} begins after seq {manifest.archived_seq}: the days up to {manifest.archived_day} are in"
            " archives. Name their folder: --archives FOLDER"
        )
    with new_folder(data_dir) as unfinished:
        await in_thread(partial(_copy, folder, unfinished, manifest, partial(on_progress, "copying")))
        if manifest.archived_seq and archives is not None:
            end = ArchivedEnd(ChainEnd(manifest.archived_seq, b""), manifest.archived_day)
            show = partial(on_progress, "copying the archives")
            await in_thread(partial(copy_days, Archives(archives, end), unfinished, show))
        proof = await _proven(folder, unfinished, witnesses, partial(on_progress, "re-executing"))
        _compare(folder, manifest, proof)
    return manifest


def _check_names(folder: Path, manifest: Manifest) -> None:
    """Nothing is written outside of the new folder, and there is a journal; nobody has used the backup as a data folder."""
    names = [file.path for file in manifest.files]
    if not all(_is_inside(name) for name in names) or JOURNAL_FILE not in names:
        raise BackupRefused(f"{folder} is no backup: its manifest names other files than those of a data folder")
    if len(set(names)) < len(names):
        raise BackupRefused(f"the manifest of {folder} is damaged: it names a file twice. Use another backup")
    log = log_of(folder / JOURNAL_FILE)
    if log.exists() and log.stat().st_size:
        raise BackupRefused(
            f"{log} holds commands that came after the backup: a venue was started in {folder}. Restore another backup, or copy"
            " the folder as that venue's own"
        )


def _is_inside(name: str) -> bool:
    """Whether it is a plain path below a folder: `.` and `..`, an empty part and a NUL are in none."""
    path = PurePosixPath(name)
    return str(path) == name != "." and not path.is_absolute() and ".." not in path.parts and "\0" not in name


def _copy(
    folder: Path, unfinished: Path, manifest: Manifest, on_progress: Callable[[int, int], None], check: Check
) -> None:
    total = sum(file.bytes for file in manifest.files)
    done = 0

    def on_bytes(more: int) -> None:
        nonlocal done
        check()
        done += more
        on_progress(done, total)

    for file in manifest.files:
        _check_copied(folder, file, copy_file(folder / file.path, unfinished / file.path, file.path, on_bytes))


def _check_copied(folder: Path, expected: HashedFile, found: HashedFile) -> None:
    if found != expected:
        raise BackupRefused(
            f"{folder / expected.path} is damaged: it has {found.bytes:,} bytes and SHA-256 {found.sha256}, the manifest says"
            f" {expected.bytes:,} and {expected.sha256}. Use another backup; nothing was made"
        )


async def _proven(
    folder: Path, unfinished: Path, witnesses: Sequence[Witness], on_progress: Callable[[int, int], None]
) -> CopyProof:
    path, archives = unfinished / JOURNAL_FILE, unfinished / ARCHIVES_FOLDER
    try:
        return await prove_copy(path, archives, witnesses, on_progress, whole=True)
    except BackupRefused as error:
        raise BackupRefused(f"the backup {folder} cannot be restored: {error}. Nothing was made", error.seq) from error


def _compare(folder: Path, manifest: Manifest, proof: CopyProof) -> None:
    """The end of the journal and the state's hash are those of the manifest."""
    result = proof.result
    for what, expected, found in (
        ("journal", manifest.journal_id, result.journal_id.hex()),
        ("archived seq", manifest.archived_seq, proof.archived.end.last_seq),
        ("last seq", manifest.last_seq, result.last_seq),
        ("last hash", manifest.last_hash, result.last_hash.hex()),
        ("state hash", manifest.state_hash, result.state_hash),
    ):
        if expected != found:
            raise BackupRefused(
                f"the backup {folder} cannot be restored: its manifest says {what} {expected}, its journal holds {found}."
                " Use another backup; nothing was made"
            )
