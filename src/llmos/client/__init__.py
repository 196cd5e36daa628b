"""The one way to speak to an API server."""
