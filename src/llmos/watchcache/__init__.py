"""Collections in memory: what is current, the newest events, lists and watches over them."""
