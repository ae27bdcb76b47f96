"""What is kept equal at a destination: traits of people, and the members of lists."""
