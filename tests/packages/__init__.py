"""Tests of the packages service."""
