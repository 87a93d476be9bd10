"""The command `relais`."""
