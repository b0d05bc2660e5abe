"""A web server's combined log to the measures of a web hall."""

from collectors.access_log.collector import build
from collectors.access_log.options import Options

__all__ = ["Options", "build"]
