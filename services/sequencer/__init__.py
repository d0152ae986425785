"""The one writer: it alone numbers commands, stamps their time and calls the engine; and how it comes back after a stop."""
