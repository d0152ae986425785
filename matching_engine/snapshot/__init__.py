"""The whole state of an engine as canonical bytes: written, checked and read back."""
