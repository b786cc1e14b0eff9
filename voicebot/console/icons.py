"""Icons: a handful of line drawings on a 24-unit grid, inline so that they take the colour of the text."""

from __future__ import annotations

from markupsafe import Markup

_PATHS = {
    "brand": '<path d="M4 10v4M8 6v12M12 3v18M16 7v10M20 10v4"/>',
    "live": '<path d="M3 12h4l3-8 4 16 3-8h4"/>',
    "calls": '<path d="M6.6 3H4a1 1 0 0 0-1 1.1A17 17 0 0 0 19.9 21a1 1 0 0 0 1.1-1v-3.3l-4.6-1.6-1.9 2.3'
    'a14 14 0 0 1-5.9-5.9L10.9 9.6 9.3 5z"/>',
    "cases": '<path d="M14 3H6a1 1 0 0 0-1 1v16a1 1 0 0 0 1 1h12a1 1 0 0 0 1-1V8zM14 3v5h5M9 13h6M9 17h4"/>',
    "campaigns": '<path d="M4 10v4h4l7 5V5L8 10zM18.5 9a4.2 4.2 0 0 1 0 6"/>',
    "sun": '<circle cx="12" cy="12" r="4"/><path d="M12 2v2M12 20v2M4.9 4.9l1.4 1.4M17.7 17.7l1.4 1.4'
    'M2 12h2M20 12h2M4.9 19.1l1.4-1.4M17.7 6.3l1.4-1.4"/>',
    "globe": '<circle cx="12" cy="12" r="9"/><path d="M3 12h18M12 3c3 3 3 15 0 18M12 3c-3 3-3 15 0 18"/>',
    "out": '<path d="M14 4h5a1 1 0 0 1 1 1v14a1 1 0 0 1-1 1h-5M10 8l-4 4 4 4M6 12h9"/>',
    "search": '<circle cx="11" cy="11" r="6.5"/><path d="M16 16l4.5 4.5"/>',
    "info": '<circle cx="12" cy="12" r="9"/><path d="M12 11v5M12 8h.01"/>',
    "alert": '<path d="M12 4L2.8 20h18.4zM12 10v4M12 17h.01"/>',
    "check": '<path d="M5 12.5l4.5 4.5L19 7"/>',
    "shield": '<path d="M12 3l7 3v5c0 5-3 8-7 10-4-2-7-5-7-10V6z"/><path d="M9 12l2 2 4-4"/>',
    "shield-x": '<path d="M12 3l7 3v5c0 5-3 8-7 10-4-2-7-5-7-10V6z"/><path d="M9.5 9.5l5 5M14.5 9.5l-5 5"/>',
    "download": '<path d="M12 4v11M7 11l5 5 5-5M5 20h14"/>',
    "upload": '<path d="M12 16V5M7 9l5-5 5 5M5 20h14"/>',
    "play": '<path d="M8 5.5v13l10.5-6.5z" fill="currentColor"/>',
    "pause": '<path d="M8 5.5v13M16 5.5v13" stroke-width="3"/>',
    "hangup": '<path d="M3 14.5c0-6 18-6 18 0v1.5l-5 .8-.8-3.3a11 11 0 0 0-6.4 0L8 16.8l-5-.8z"/>',
    "message": '<path d="M4 5h16v11H9l-5 4zM8 9h8M8 12h5"/>',
    "arrow": '<path d="M5 12h14M13 6l6 6-6 6"/>',
    "left": '<path d="M14 6l-6 6 6 6"/>',
    "right": '<path d="M10 6l6 6-6 6"/>',
    "promise": '<path d="M4 6h16v14H4zM4 10h16M8 3v4M16 3v4M9 15l2 2 4-4"/>',
    "person": '<circle cx="12" cy="8" r="4"/><path d="M4.5 20.5c1-9 14-9 15 0"/>',
    "path": '<circle cx="6" cy="5" r="2"/><circle cx="18" cy="19" r="2"/>'
    '<path d="M8 5h6a4 4 0 0 1 0 7h-4a4 4 0 0 0 0 7h6"/>',
    "stop": '<rect x="6" y="6" width="12" height="12" rx="2"/>',
    "headset": '<path d="M4 14v-2a8 8 0 0 1 16 0v2M4 14h3v5H5a1 1 0 0 1-1-1zM20 14h-3v5h2a1 1 0 0 0 1-1z'
    'M19 19c0 2-3 2.5-5 2.5"/>',
    "wall": '<path d="M3 5h18v11H3zM8 20h8M12 16v4M7 12l3-3 2 2 4-4"/>',
    "people": '<circle cx="9" cy="8" r="3.5"/><path d="M2.5 20c.8-7 12.2-7 13 0M16 4.8a3.5 3.5 0 0 1 0 6.4M18.5 14.5'
    'c1.8.8 2.8 2.6 3 5"/>',
    "ear": '<path d="M7 9a5 5 0 0 1 10 0c0 4-4 4.5-4 8a3 3 0 0 1-5.5 1.5M10 9a2 2 0 0 1 4 0c0 1.5-2 2-2 3.5"/>',
    "mute": '<path d="M9 9v3a3 3 0 0 0 5 2.2M15 11V6a3 3 0 0 0-5.7-1.3M5.5 11.5a6.5 6.5 0 0 0 10.3 5.2M18.5 11.5'
    'v.5M12 18v3M3 3l18 18"/>',
    "bulb": '<path d="M9 18h6M10 21h4M12 3a6 6 0 0 0-3.5 10.9c.7.6 1 1.3 1 2.1h5c0-.8.3-1.5 1-2.1A6 6 0 0 0 12 3z"/>',
    "pen": '<path d="M4 20l1-4L16 5l3 3L8 19zM14 7l3 3"/>',
    "clock": '<circle cx="12" cy="12" r="9"/><path d="M12 7v5l3.5 2"/>',
    "chart": '<path d="M4 20V10M10 20V4M16 20v-7M21 20H3"/>',
    "hand": '<path d="M7 12V6.5a1.5 1.5 0 0 1 3 0V11V4.5a1.5 1.5 0 0 1 3 0V11V6a1.5 1.5 0 0 1 3 0v8c0 4-2 7-5.5 7'
    'S6.5 19 4 14.5c.5-1.5 2-1.5 3 0z"/>',
    "big": '<path d="M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5"/>',
    "bell": '<path d="M6 16v-5a6 6 0 0 1 12 0v5l2 2H4zM10 21h4"/>',
    "up": '<path d="M12 19V5M6 11l6-6 6 6"/>',
    "x": '<path d="M6 6l12 12M18 6L6 18"/>',
    "plus": '<path d="M12 5v14M5 12h14"/>',
    "minus": '<path d="M5 12h14"/>',
    "script": '<path d="M4 5h16v10H9l-5 4zM8 9h8M8 12h5"/>',
    "phone-in": '<path d="M19 5l-9 9M10 7v7h7"/>',
    "phone-out": '<path d="M6 18L17 7M9 7h8v8"/>',
}


def icon(name: str, cls: str = "icon") -> Markup:
    """The icon called `name`; hidden from screen readers, which get the text beside it."""
    return Markup(
        '<svg class="{}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.7" '
        'stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">{}</svg>'
    ).format(cls, Markup(_PATHS[name]))
