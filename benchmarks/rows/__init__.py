"""The rows of the benchmarks, in the order of the page. Each has ``measure(bench) -> Section``."""
