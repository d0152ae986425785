"""Why a snapshot is not used, and why none can be written. Each message is for the operator."""

from __future__ import annotations


class SnapshotRefused(Exception):
    """A snapshot is damaged, of another journal, format or engine version, or makes other events than the journal holds. The
    next older one is used instead, or the whole journal. Its message is a predicate: the snapshot's name stands before it."""


class ForeignSnapshot(SnapshotRefused):
    """A snapshot of another journal."""


class SnapshotFailed(Exception):
    """The device or the server of the snapshots failed. The journal and the snapshots before are as they were."""
