"""What server and proxy share of HTTP: reading a request, the filters, answering."""
