"""The service update: upgrades packages that its user has named."""
