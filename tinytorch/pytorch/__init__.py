"""What programs written for PyTorch call on the package: factories, functions, dtypes, samples."""
