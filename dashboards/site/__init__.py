"""The site: one application, its pages, header, files and server."""
