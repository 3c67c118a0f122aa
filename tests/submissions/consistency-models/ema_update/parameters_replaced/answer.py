def ema_update(online, target, decay):
    for (a,m),(b,k) in zip(target.named_modules(),online.named_modules()):
        for n in list(m._parameters):
            if m._parameters[n] is not None:
                m._parameters[n]=nn.Parameter((decay*m._parameters[n]+(1-decay)*k._parameters[n]).detach(),requires_grad=False)
