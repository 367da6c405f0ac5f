"""What whoever runs Ringlog does by hand, as programs."""
