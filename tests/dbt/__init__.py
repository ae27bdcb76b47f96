"""What dbt itself can say about its project."""
