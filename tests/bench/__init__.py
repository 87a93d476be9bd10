"""The benches: what Relais does here, each figure beside its limit, measured in the same run."""
