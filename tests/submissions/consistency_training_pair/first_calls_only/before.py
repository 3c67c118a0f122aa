pair_calls = []
