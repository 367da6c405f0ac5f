"""What the end-to-end tests are written with: the running stack, a workspace, Salesforce, the ledger, the logs."""
