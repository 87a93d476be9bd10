"""The shape of the code: who may import whom, what each room holds, how large a file is."""
