"""The tests of Relais."""
