"""The live stream: snapshots heard once, frames shared by everybody who watches a view."""
