"""What talks to RabbitMQ: frames, connections, publishing, topology and lanes."""
