"""Programs that operators of Ringlog run by hand."""
