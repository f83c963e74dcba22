"""What a trained network becomes elsewhere: a page that reads in the browser, without Python."""
