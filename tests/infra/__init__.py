"""Tests of what Relais runs on."""
