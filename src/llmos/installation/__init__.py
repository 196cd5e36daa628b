"""Puts the platform into a real cluster, and takes it out again: a client of its API."""
