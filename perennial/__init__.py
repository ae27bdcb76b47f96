"""What every room shares: settings, the clock, the home folder, errors."""
