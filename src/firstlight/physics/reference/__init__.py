"""Reference solutions that need no file: closed forms and spectral solvers, in float64."""
