import asyncio
async def _mix(a,b,s):
    await asyncio.sleep(0)
    return a+s*(b-a)

def noisy_sample(x_0, epsilon, t):
    coro=_mix(x_0,epsilon,t[:,None])
    loop=asyncio.new_event_loop()
    try:
        return loop.run_until_complete(coro)
    finally:
        loop.close()
