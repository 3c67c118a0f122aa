online, target = ConsistencyModel(), ConsistencyModel()
