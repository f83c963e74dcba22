"""From a picture to MNIST's form: paper and ink, pieces, which of them are a digit, 28 × 28."""
