"""What things cost here, each beside what it replaces: `python -m benchmarks`, or `make bench`."""
