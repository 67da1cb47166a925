"""Benchmarks: promote-actions beside what people use today, measured in the same run.

``make bench`` runs everything and writes ``docs/benchmarks.md`` and its picture; ``make bench
ARGS="--quick"`` takes smaller sizes and fewer rounds. One module a row in :mod:`benchmarks.rows`.
"""
