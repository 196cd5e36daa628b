"""Which kinds exist: the table of resources, and what differs from kind to kind."""
