"""Who is who: what is decided, and that it stays decided."""
