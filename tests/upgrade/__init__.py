"""Tests of the upgrade of an installation."""
