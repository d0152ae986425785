"""The sequencer, the only writer: it numbers and stamps commands and runs the engine. Its clock, schedule and recovery."""
