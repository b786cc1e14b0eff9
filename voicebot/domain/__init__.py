"""The words of the trade: frozen values, no input or output. Everybody may import them, they import nobody."""
