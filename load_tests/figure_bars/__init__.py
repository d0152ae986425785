"""The bars of the figure: what its estimates must reach on generated data, measured in one run."""
