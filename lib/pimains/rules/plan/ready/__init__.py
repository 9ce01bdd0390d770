"""The rules that are ready: settings instead of code."""
