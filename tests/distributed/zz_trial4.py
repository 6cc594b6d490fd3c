import torch, copy
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from llama import Llama
from firstlight.model.trace.undistributed import undistributed
def body(rank, world, folder):
    m=Llama()
    mesh=init_device_mesh('cpu',(world,))
    for b in m.layers.values(): fully_shard(b,mesh=mesh)
    fully_shard(m,mesh=mesh)
    b=m.layers['0']
    with undistributed(m):
      for mod in m.modules():
        for k,v in vars(mod).items():
            if k not in('_parameters','_modules','_buffers'):
                try: copy.deepcopy(v)
                except Exception as e: print(type(mod).__name__, k,[(getattr(h,'__module__',None), type(h)) for h in v.values()] if isinstance(v,dict) else v,e)
