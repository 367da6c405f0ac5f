"""Ringlog on this machine, deployed from the same template as on AWS: what `make run` starts."""
