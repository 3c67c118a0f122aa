epsilon = torch.ones(1)
