"""Helpers of the end-to-end tests: the running stack, workspaces, Salesforce, the ledger, the logs."""
