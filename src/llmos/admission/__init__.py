"""Attributes become an object or a refusal: lifecycle, tenancy, quota, limits."""
