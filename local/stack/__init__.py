"""What `make run` starts: Ringlog on this machine, deployed from the same template as on AWS."""
