class Sq(torch.autograd.Function):
    @staticmethod
    def forward(ctx,a,b):
        ctx.save_for_backward(a,b)
        return ((a-b)**2).mean()
    @staticmethod
    def backward(ctx,g):
        a,b=ctx.saved_tensors
        return g*2*(a-b)/a.numel(), None

def consistency_distillation_loss(online, target, x_tn1, t_n1, x_hat_tn, t_n):
    return Sq.apply(online(x_tn1,t_n1),target(x_hat_tn,t_n))
