model = ConsistencyModel()
