"""Doctor: looks at everything an installation stands on before somebody is rung, and says what to do."""
