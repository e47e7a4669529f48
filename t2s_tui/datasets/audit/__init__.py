"""What is wrong with a dataset before a minute of GPU time is spent on it, row by row and as a whole."""
