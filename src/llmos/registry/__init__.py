"""One store for each resource: get, list, watch, create, update, patch, apply, delete."""
