"""An outage in virtual time: the service's own code against a battery, UPSes, machines and a halt that are simulated."""
