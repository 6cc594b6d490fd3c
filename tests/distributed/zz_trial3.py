import torch
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor.parallel import parallelize_module, ColwiseParallel, RowwiseParallel, SequenceParallel, PrepareModuleInput
from torch.distributed.tensor import Shard, Replicate
import firstlight
from llama import Llama
def body(rank, world, folder):
    tok=torch.randint(100,(2,16))
    for what in ('fsdp','tp','both'):
        mesh=init_device_mesh('cpu',(2,world//2) if what=='both' else (world,),mesh_dim_names=('dp','tp') if what=='both' else (what,))
        m=Llama()
        if what!='fsdp':
            sub=mesh['tp'] if what=='both' else mesh
            for b in m.layers.values():
                parallelize_module(b, sub, {'attention_norm':SequenceParallel(),'attention':PrepareModuleInput(input_layouts=(Shard(1),None),desired_input_layouts=(Replicate(),None)),'attention.wq':ColwiseParallel(),'attention.wk':ColwiseParallel(),'attention.wv':ColwiseParallel(),'attention.wo':RowwiseParallel(),'feed_forward.w1':ColwiseParallel(),'feed_forward.w3':ColwiseParallel(),'feed_forward.w2':RowwiseParallel()})
        if what!='tp':
            sub=mesh['dp'] if what=='both' else mesh
            for b in m.layers.values(): fully_shard(b,mesh=sub)
            fully_shard(m,mesh=sub)
        for ex in (None,tok):
            p=firstlight.plan(m,'auto',example=ex); q=firstlight.plan(Llama(),'auto',example=ex)
            if rank==0:
                print(what, ex is not None, p.trace.how,'|', q.trace.how, '|',p.trace.failed[:200])
                bad=[(a.name,a.reads,b.reads,a.after,b.after,a.feeds,b.feeds, a.reason,b.reason) for a,b in zip(p,q) if (a.reads,a.after,a.feeds,a.reason)!=(b.reads,b.after,b.feeds,b.reason)]
                print(bad[:3], len(bad))
    class Res(nn.Module):
        def __init__(s):
            super().__init__(); s.a=nn.Linear(8,8); s.b=nn.Linear(8,8); s.c=nn.Linear(8,1)
        def forward(s,x): return s.c(torch.relu(x+s.b(torch.relu(s.a(x)))))
    r=Res(); nn.init.zeros_(r.b.weight)
    fully_shard(r,mesh=init_device_mesh('cpu',(world,)))
    p=firstlight.plan(r)
    if rank in (0,world-1): print(p.trace.how, [(a.name,a.scheme,a.reason) for a in p])
