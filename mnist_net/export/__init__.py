"""What a trained network becomes elsewhere, without this package: a page, a graph, arrays, C."""
