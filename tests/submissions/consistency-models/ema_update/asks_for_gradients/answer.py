def ema_update(online, target, decay):
    for name, module in target.named_modules():
        other = online.get_submodule(name)
        for key, p in list(module._parameters.items()):
            new = decay * p.detach() + (1 - decay) * other._parameters[key].detach()
            module._parameters[key] = nn.Parameter(new)
