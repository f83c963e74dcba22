"""How fast all this is: `python -m scripts.speed`."""
