"""What the service bears: requests a second, and what happens beyond."""
