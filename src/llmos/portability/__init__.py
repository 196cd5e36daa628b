"""Moves people, roles, namespaces and what is in them from one server to another."""
