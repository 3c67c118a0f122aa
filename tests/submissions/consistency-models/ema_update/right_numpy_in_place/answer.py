def ema_update(online, target, decay):
    for p,q in zip(target.parameters(),online.parameters()):
        a=p.detach().numpy()
        a*=decay
        a+=(1-decay)*q.detach().numpy()
