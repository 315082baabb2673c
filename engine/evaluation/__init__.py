"""Suites with held-out cases, and their reports."""
