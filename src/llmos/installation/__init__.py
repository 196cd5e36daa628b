"""Puts the platform's content into a cluster, and takes it out again."""
