"""Side-by-side measurements; `make bench` runs them and keeps the results as JSON."""
