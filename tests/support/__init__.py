"""What tests share: running servers and the clients that speak to them."""
