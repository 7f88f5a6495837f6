"""What a person touches: the command line. The only package that prints."""
