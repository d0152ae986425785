"""Everything of REX that touches the world: journal, network, databases, pages. The arrows between its rooms point down."""
