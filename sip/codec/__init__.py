"""Speech codecs of the telephone network: bytes on the wire <-> 16-bit PCM."""

from sip.codec.g711 import G711, PCMA, PCMU, law
from sip.codec.speech import CodecUnavailableError, Speech, speech

__all__ = ["G711", "PCMA", "PCMU", "CodecUnavailableError", "Speech", "law", "speech"]
