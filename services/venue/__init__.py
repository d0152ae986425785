"""The composition root: what makes a venue of the rooms below, and the tasks that a running one has beside its orders."""
