"""The way to a real cluster: who sends a request, and how it gets there."""
