"""Where orders go: sweeps of displayed quotes, dark pools, posting."""
