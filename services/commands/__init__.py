"""Administrative commands as submissions, and the attachments of commands."""
