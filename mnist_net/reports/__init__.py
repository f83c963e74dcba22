"""What is known of a classifier: figures, tables and pictures, from arrays alone."""
