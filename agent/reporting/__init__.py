"""What people look at: videos, figures, the report."""
