"""Order flows, their replay through the public API with a verdict, and benchmarks beside their limits."""
