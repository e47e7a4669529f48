"""The machine: what it has (telemetry) and what it lacks (doctor). No torch in this process."""
