import json, hashlib, sys
import numpy as np, PIL
from PIL import Image
import torchvision
from torchvision import transforms as T
from torchvision.transforms import InterpolationMode as I
import timm
from timm.data.transforms_factory import transforms_imagenet_eval
def picture(w,h,seed):
    # counter-based noise that JavaScript repeats exactly
    n=np.arange(w*h*3,dtype=np.uint64)
    v=(n*np.uint64(2654435761)+np.uint64(seed)*np.uint64(40503))&np.uint64(0xffffffff)
    v^=v>>np.uint64(15); v=(v*np.uint64(2246822519))&np.uint64(0xffffffff); v^=v>>np.uint64(13)
    return Image.fromarray((v&np.uint64(255)).astype(np.uint8).reshape(h,w,3))
sizes=[(640,480),(400,300),(800,600),(341,256),(257,300),(300,257),(333,500),(501,333),(97,64),(64,97),(63,64),(127,33),(33,127),(1001,77),(255,255),(224,224),(32,32),(90,45),(123,321),(431,200)]
sha=lambda im: hashlib.sha256(np.asarray(im).tobytes()).hexdigest()
filt={"pillow-bilinear":I.BILINEAR,"pillow-bicubic":I.BICUBIC,"pillow-lanczos":I.LANCZOS}
cases=[]
for k,(w,h) in enumerate(sizes):
    name=list(filt)[k%3]; f=filt[name]
    for cw,ch,s in [(224,224,256),(61,48,50),(48,61,64),(75,75,60)]:
        im=picture(w,h,k)
        out=T.Compose([T.Resize(s,interpolation=f),T.CenterCrop((ch,cw))])(im)
        cases.append(dict(rule="torchvision",size=[w,h],seed=k,resize=name,width=cw,height=ch,shorterSide=s,sha256=sha(out)))
    for cw,ch,p in [(64,64,0.875),(56,72,0.9)]:
        im=picture(w,h,k)
        tf=transforms_imagenet_eval(img_size=(ch,cw),crop_pct=p,interpolation={"pillow-bilinear":"bilinear","pillow-bicubic":"bicubic","pillow-lanczos":"lanczos"}[name])
        tf=T.Compose([t for t in tf.transforms if type(t).__name__ in("Resize","ResizeKeepRatio","CenterCrop")])
        cases.append(dict(rule="timm",size=[w,h],seed=k,resize=name,width=cw,height=ch,cropPct=p,sha256=sha(tf(im))))
    im=picture(w,h,k)
    out=T.Resize((56,75),interpolation=f)(im)
    cases.append(dict(rule="stretch",size=[w,h],seed=k,resize=name,width=75,height=56,sha256=sha(out)))
import os
json.dump(dict(made_by=f"Pillow {PIL.__version__}, torchvision {torchvision.__version__}, timm {timm.__version__}: Resize then CenterCrop; transforms_imagenet_eval; Resize((h, w))",cases=cases),open(sys.argv[1],"w"),indent=0)
print(len(cases), torchvision.__version__, timm.__version__)
print([type(t).__name__ for t in transforms_imagenet_eval(img_size=(72,56),crop_pct=.9).transforms])
