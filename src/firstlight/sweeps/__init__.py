"""Many runs from one file: in this process, on several workers, or on a Ray cluster."""
