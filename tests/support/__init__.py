"""What the test suites share. One duty to a file; nothing here asserts what the service must do, but for `problems`."""
