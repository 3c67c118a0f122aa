@torch.inference_mode()
def ema_update(online, target, decay):
    for p,q in zip(target.parameters(),online.parameters()):
        p.data = decay*p.data+(1-decay)*q.data
