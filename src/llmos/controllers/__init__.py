"""What keeps the platform's promises over time: one file a controller."""
