"""What each command does: the rules of members', operators' and session commands, on the book and the ledger."""
