"""The composition roots of the scaled mode, one file a process: gateway, sequencer, projector, reporting, and `rex init`."""
