"""The Helm chart: what its files promise, and what it renders. `document` writes what is derived from the schema of its values."""
