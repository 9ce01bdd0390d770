"""The service vedirect: reads a solar charger, battery monitor or inverter that speaks VE.Direct."""
