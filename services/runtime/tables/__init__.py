"""Table work: transactions, sweeps and jobs."""
