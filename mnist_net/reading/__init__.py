"""What is written on a picture: ways to see it, which of them is right, and what is said of it."""
