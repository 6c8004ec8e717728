"""Tests compare notebooks more strictly than nbval alone: see tests/book/guard.py."""

pytest_plugins = ["tests.book.guard"]
