"""One market in several loops: a thread and a core each, one consolidated book."""
