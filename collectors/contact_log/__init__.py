"""Contact-by-contact delimited files, or one growing file: call detail records of any ACD."""

from collectors.contact_log.collector import build
from collectors.contact_log.options import Options

__all__ = ["Options", "build"]
