"""Attributes become a Decision with its reason: RBAC, escalation, what may I see."""
