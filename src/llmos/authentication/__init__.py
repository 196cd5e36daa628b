"""Credentials become a UserInfo: passwords, tokens, sessions, service accounts."""
