"""What the data doctor looks for, a module a subject; the door is :mod:`pellucid.checks.check`."""
