"""Quality: every call looked at afterwards, calls drawn and reviewed, agreement measured, calls played again."""
