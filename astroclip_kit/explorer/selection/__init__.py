"""What a lasso took: what sets it apart, how it looks, and who is typical or odd in it."""
