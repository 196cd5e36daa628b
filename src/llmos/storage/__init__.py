"""The log of every change, on SQLite, and the memory that answers reads."""
