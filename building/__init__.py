"""What is made when the package is built, and never committed."""
