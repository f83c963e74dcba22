"""Training runs: pictures and a recipe in, epochs on the way, a model or a committee out."""
