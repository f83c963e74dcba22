"""What an exported network costs: bytes, errors and time."""
