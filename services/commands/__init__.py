"""Administrative commands as submissions, and the texts that stand beside commands in the journal."""
