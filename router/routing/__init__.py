"""Where to, how much and at what price: sweeps of what is shown, dark pools, posting."""
